import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { wordApp, wordService } from "../../../docs/examples/remoteService.ts"
import { linesOf, question, remote } from "./support.ts"

describe("the documented remote service", () => {
  it.scopedLive("answers the app that is documented with it", () =>
    Effect.gen(function* () {
      const { url } = yield* wordService("its-key")
      const app = yield* remote(wordApp(url, "its-key").data, new URL(url).host)
      const earlier = [
        { role: "user" as const, content: "One." },
        { role: "assistant" as const, content: "1 words.", toolCalls: [] }
      ]
      const lines = yield* linesOf(app, question("Tell me more", earlier))
      expect(lines).toEqual([
        "step counting",
        expect.stringMatching(/^tool \S+ count \{"words":\["Tell","me","more"\]\}$/),
        "brought 3",
        "text 3 words, in question 2.",
        "answer 3 words, in question 2."
      ])
    })
  )

  it.scopedLive("sends away whoever has not its key", () =>
    Effect.gen(function* () {
      const { url } = yield* wordService("its-key")
      const app = yield* remote(wordApp(url, "another-key").data, new URL(url).host)
      expect(yield* linesOf(app, question("Hello"))).toEqual([
        "assistant failed: The remote service does not accept this app's api_key or headers (401): who are you?"
      ])
    })
  )
})

import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { describe } from "vitest"
import { Deltas } from "../../../src/protocol/RunEvent.ts"
import { mockUpstream, pacedUpstream } from "../../support/upstream.ts"
import { linesOf, question, remote } from "./support.ts"

const service = (url: string, more: object = {}) =>
  remote({ protocol: "openai", url, model: "remote-model", ...more }, new URL(url).host)

describe("a service that speaks OpenAI's protocol", () => {
  it.scopedLive("answers as it streams", () =>
    Effect.gen(function* () {
      const { url } = yield* pacedUpstream({ tokens: 2, reasoning: 1, delay: 1 })
      expect(yield* linesOf(yield* service(url), question("Why?"))).toEqual([
        "reasoning r0 ",
        "text w0 ",
        "text w1 ",
        "answer w0 w1 "
      ])
    })
  )

  it.scopedLive("is sent what was said before, the instruction and the key", () =>
    Effect.gen(function* () {
      const { mock, url } = yield* mockUpstream()
      mock.onMessage("And now?", { content: "Now." })
      const app = yield* service(url, {
        system: "Be brief.",
        api_key: "key-of-the-service",
        temperature: 0.1
      })
      const lines = yield* linesOf(
        app,
        question("And now?", [
          { role: "user", content: "First?" },
          { role: "assistant", content: "", toolCalls: [{ id: "c", name: "clock", arguments: "{}" }] },
          { role: "tool", content: "noon", toolCallId: "c" },
          { role: "assistant", content: "Noon.", toolCalls: [] }
        ])
      )
      expect(lines.at(-1)).toBe("answer Now.")
      const [request] = mock.getRequests()
      expect(request?.body).toMatchObject({
        model: "remote-model",
        temperature: 0.1,
        stream: true,
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "First?" },
          { role: "assistant", content: "Noon." },
          { role: "user", content: "And now?" }
        ]
      })
    })
  )

  it.scopedLive("that asks for tools of ours is told apart from one that answers", () =>
    Effect.gen(function* () {
      const { mock, url } = yield* mockUpstream()
      mock.onMessage("compute", { toolCalls: [{ name: "calculator", arguments: '{"e":"1+1"}' }] })
      mock.onMessage("both", {
        content: "Two.",
        toolCalls: [{ name: "calculator", arguments: '{"e":"1+1"}' }]
      })
      const app = yield* service(url)
      expect(yield* linesOf(app, question("compute"))).toEqual([
        'assistant failed: The remote service asks for the tools "calculator" to be called for it, which this server cannot do.'
      ])
      expect((yield* linesOf(app, question("both"))).slice(-2)).toEqual([
        'step calculator({"e":"1+1"})',
        "answer Two."
      ])
    })
  )

  it.scopedLive("is left at once when the run is stopped", () =>
    Effect.gen(function* () {
      const { url, statsWhen } = yield* pacedUpstream({ tokens: 10_000, delay: 2 })
      const app = yield* service(url)
      const begun = yield* Deferred.make<void>()
      const sink = Deltas.of({
        text: () => Deferred.unsafeDone(begun, Effect.void),
        reasoning: () => undefined,
        node: () => ({ text: () => undefined, reasoning: () => undefined })
      })
      const running = yield* Stream.runDrain(app.answer(question("Why?"))).pipe(
        Effect.provideService(Deltas, sink),
        Effect.fork
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(running)
      const stats = yield* statsWhen(({ closedByClient }) => closedByClient === 1)
      expect(stats.completed).toBe(0)
    })
  )

  it.scopedLive.each([
    ["cut=2", "The remote service broke off before its answer was complete. Try again."],
    ["stall=1", "The remote service stopped in the middle of its answer for 1 s. Try again."],
    ["hang=1", "The remote service did not begin to answer within 1 s. Try again later."]
  ] as const)("is told of when it fails by %s", ([words, reason]) =>
    Effect.gen(function* () {
      const { url } = yield* pacedUpstream({ tokens: 5, delay: 1 })
      const lines = yield* linesOf(yield* service(url, { timeout: 1 }), question(words))
      expect(lines.at(-1)).toBe(`assistant failed: ${reason}`)
    })
  )

  it.scopedLive("does not get its key repeated in an error, nor ours mentioned", () =>
    Effect.gen(function* () {
      const { url } = yield* pacedUpstream({ tokens: 1 })
      const app = yield* service(url, { api_key: "key-of-the-service" })
      const [line] = yield* linesOf(app, question("status=401 echo=1"))
      expect(line).toContain("does not accept this app's api_key or headers (401)")
      expect(line).not.toContain("key-of-the-service")
      expect(line).not.toContain("OPENAI")
    })
  )
})

/**
 * `Effect.gen(function* () { … })` makes a generator function each time, and V8 a hidden class for it, which is born old and
 * keeps all that the function closes over: 9 µs and the garbage of a whole question, where a function that is made once
 * (`Effect.fnUntraced`) takes 0.9 µs. On a question's way there is none.
 */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { flowIds } from "../support/apps.ts"
import { isClose } from "../support/client.ts"
import { startServer } from "../support/server.ts"

const made = vi.hoisted((): Array<string> => [])

vi.mock("effect/Effect", async (importOriginal) => {
  const original = await importOriginal<typeof Effect>()
  const gen = new Proxy(original.gen, {
    apply: (target, self, args) => {
      const caller = new Error().stack?.split("\n")[2] ?? ""
      if (caller.includes("/src/")) made.push(caller.trim())
      return Reflect.apply(target, self, args)
    }
  })
  return { ...original, gen }
})

it.scopedLive("a question makes no generator function", () =>
  Effect.gen(function* () {
    const { connect } = yield* startServer()
    const client = yield* connect(flowIds.echo, { chat: "c1" })
    yield* client.say({ inputs: { input: "what is made for the first one alone" } })
    yield* client.until(isClose)
    // Whoever has connected has made some: they are counted.
    expect(made).not.toEqual([])
    made.length = 0
    yield* client.say({ inputs: { input: "and then?" } })
    yield* client.untilCount(isClose, 2)
    expect(made).toEqual([])
  })
)

/** What leaves together, when, and who gets the answer. */
import { expect, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Batcher } from "../../src/storage/sql/Batcher.ts"
import { times } from "./suite/vocabulary.ts"

class Refused extends Data.TaggedError("Refused")<{ readonly request: string }> {}

interface Flight {
  readonly requests: ReadonlyArray<string>
  readonly landed: Deferred.Deferred<void, Refused>
}

/** A request is answered by its letters, doubled, when its flight is told to land. Its first letter is its key. */
const deskWhere = Effect.fnUntraced(function* ({ shares }: { readonly shares: boolean }) {
  const flights: Array<Flight> = []
  const leave = (requests: ReadonlyArray<string>) =>
    Effect.flatMap(Deferred.make<void, Refused>(), (landed) => {
      flights.push({ requests, landed })
      return Effect.as(
        Deferred.await(landed),
        requests.map((request) => request + request)
      )
    })
  const batcher = new Batcher<string, string, Refused>(
    {
      keyOf: (request) => request.charAt(0),
      one: (request) => Effect.as(leave([request]), request + request),
      many: leave,
      shares
    },
    yield* Effect.scope
  )
  const settled = Effect.repeatN(Effect.yieldNow(), 50)
  const flightWith = (request: string) =>
    Effect.fromNullable(flights.findLast(({ requests }) => requests.includes(request)))
  return {
    left: () => flights.map(({ requests }) => requests.join(" ")),
    ask: (request: string) => Effect.zipLeft(Effect.fork(batcher.make(request)), settled),
    land: (request: string) =>
      Effect.flatMap(flightWith(request), ({ landed }) =>
        Effect.zipRight(Deferred.succeed(landed, undefined), settled)
      ),
    refuse: (request: string) =>
      Effect.flatMap(flightWith(request), ({ landed }) =>
        Effect.zipRight(Deferred.fail(landed, new Refused({ request })), settled)
      )
  }
})

const desk = deskWhere({ shares: false })

it.scoped("two go alone, and what comes meanwhile goes together when one is back", () =>
  Effect.gen(function* () {
    const { ask, land, left } = yield* desk
    const asked = yield* Effect.forEach(["a", "b", "c", "d"], ask)
    expect(left()).toEqual(["a", "b"])
    yield* land("b")
    expect(left()).toEqual(["a", "b", "c d"])
    yield* land("a")
    yield* land("c")
    expect(yield* Effect.forEach(asked, Fiber.join)).toEqual(["aa", "bb", "cc", "dd"])
    yield* ask("e")
    expect(left().at(-1)).toBe("e")
  })
)

it.scoped("few sizes leave, in the order in which they came", () =>
  Effect.gen(function* () {
    const { ask, land, left } = yield* desk
    const names = times(2 + 32 + 8 + 1, (i) => String.fromCharCode(0x100 + i))
    const asked = yield* Effect.forEach(names, ask)
    for (const name of names) if (left().some((flight) => flight.includes(name))) yield* land(name)
    expect(left().map((flight) => flight.split(" ").length)).toEqual([1, 1, 32, 8, 1])
    expect(left().join(" ")).toBe(names.join(" "))
    expect(yield* Effect.forEach(asked, Fiber.join)).toEqual(names.map((name) => name + name))
  })
)

it.scoped("requests of one key never leave together, and none overtakes the other", () =>
  Effect.gen(function* () {
    const { ask, land, left } = yield* desk
    yield* Effect.forEach(["x", "y", "a1", "a2", "b1", "a3"], ask)
    yield* land("x")
    expect(left().slice(2)).toEqual(["a1 b1"])
    yield* land("a1")
    yield* land("a2")
    yield* land("a3")
    expect(left().slice(2)).toEqual(["a1 b1", "a2", "a3"])
  })
)

it.scoped("those of one key that come meanwhile share an answer, and not the one that is on its way", () =>
  Effect.gen(function* () {
    const { ask, land, refuse, left } = yield* deskWhere({ shares: true })
    const [, , second, b, third] = yield* Effect.forEach(["a", "x", "a", "b", "a"], ask)
    if (second === undefined || b === undefined || third === undefined) return expect.unreachable()
    yield* land("x")
    expect(left().slice(2)).toEqual(["a b"])
    yield* Fiber.interrupt(second)
    yield* refuse("b")
    expect(left().slice(3)).toEqual(["a", "b"])
    yield* land("b")
    yield* land("a")
    expect(yield* Fiber.join(third)).toBe("aa")
    expect(yield* Fiber.join(b)).toBe("bb")
    expect(left()).toHaveLength(5)
  })
)

it.scoped("where those that left together fail, each goes by itself, and fails by itself", () =>
  Effect.gen(function* () {
    const { ask, land, refuse, left } = yield* desk
    const [, , c, d] = yield* Effect.forEach(["a", "b", "c", "d"], ask)
    if (c === undefined || d === undefined) return expect.unreachable()
    yield* land("a")
    yield* refuse("c")
    expect(left().slice(2)).toEqual(["c d", "c", "d"])
    yield* refuse("c")
    yield* land("d")
    expect(yield* Fiber.await(c)).toEqual(Exit.fail(new Refused({ request: "c" })))
    expect(yield* Fiber.join(d)).toBe("dd")
  })
)

it.scoped(
  "whoever stops waiting is left out; whoever's request has left is not, and nobody else notices",
  () =>
    Effect.gen(function* () {
      const { ask, land, left } = yield* desk
      const [a, , c, d, e] = yield* Effect.forEach(["a", "b", "c", "d", "e"], ask)
      if (a === undefined || c === undefined || d === undefined || e === undefined)
        return expect.unreachable()
      yield* Fiber.interrupt(c)
      yield* Fiber.interrupt(a)
      expect(left()).toEqual(["a", "b", "d e"])
      yield* Fiber.interrupt(d)
      yield* land("e")
      expect(yield* Fiber.join(e)).toBe("ee")
      yield* land("b")
      yield* Effect.forEach(["f", "g"], ask)
      expect(left().slice(3)).toEqual(["f", "g"])
    })
)

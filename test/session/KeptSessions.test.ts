import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { KeptSessions } from "../../src/session/KeptSessions.ts"

/** Makes names with a number and notes which of them have ended. */
const withRoomFor = Effect.fnUntraced(function* (most: number) {
  const kept = yield* KeptSessions.make<string>({ keepIdle: "5 minutes", most })
  const ended: Array<string> = []
  let made = 0
  const make = (key: string) =>
    Effect.acquireRelease(
      Effect.sync(() => `${key}${++made}`),
      (name) => Effect.sync(() => ended.push(name))
    )
  const hold = (key: string) => kept.hold(key, make(key))
  return { kept, ended, hold, make, touch: (key: string) => Effect.scoped(hold(key)) }
})

const withRoom = withRoomFor(3)

describe("kept sessions", () => {
  it.scoped("whoever asks while one is being made gets that one", () =>
    Effect.gen(function* () {
      const { kept, make } = yield* withRoom
      const gate = yield* Deferred.make<void>()
      const slowly = kept.hold("a", Effect.zipRight(Deferred.await(gate), make("a")))
      const first = yield* Effect.fork(slowly)
      yield* Effect.yieldNow()
      const second = yield* Effect.fork(slowly)
      const third = yield* Effect.fork(kept.find("a"))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(first)).toBe("a1")
      expect(yield* Fiber.join(second)).toBe("a1")
      expect(yield* Fiber.join(third)).toBe("a1")
    })
  )

  it.scoped(
    "one that could not be made is made anew for the next who asks, and those who waited are told",
    () =>
      Effect.gen(function* () {
        const { kept, hold, ended, make } = yield* withRoom
        const gate = yield* Deferred.make<void>()
        const broken = kept.hold(
          "a",
          Effect.tap(make("a"), () => Effect.zipRight(Deferred.await(gate), Effect.die("broken")))
        )
        const first = yield* Effect.fork(Effect.exit(broken))
        yield* Effect.yieldNow()
        const second = yield* Effect.fork(Effect.exit(hold("a")))
        yield* Effect.yieldNow()
        yield* Deferred.succeed(gate, undefined)
        expect(Exit.isFailure(yield* Fiber.join(first))).toBe(true)
        expect(Exit.isFailure(yield* Fiber.join(second))).toBe(true)
        expect(ended).toEqual(["a1"])
        expect(yield* hold("a")).toBe("a2")
      })
  )

  it.scoped("one that nobody holds ends after its time, counted from when the last one let go", () =>
    Effect.gen(function* () {
      const { touch, ended } = yield* withRoom
      yield* touch("a")
      yield* TestClock.adjust("4 minutes")
      expect(yield* touch("a")).toBe("a1")
      yield* TestClock.adjust("4 minutes")
      expect(ended).toEqual([])
      yield* TestClock.adjust("70 seconds")
      expect(ended).toEqual(["a1"])
      expect(yield* touch("a")).toBe("a2")
    })
  )

  it.scoped("where a crowd has left some go at a time, and one that is asked for meanwhile stays", () =>
    Effect.gen(function* () {
      const { touch, ended } = yield* withRoomFor(1_000)
      for (let i = 1; i <= 200; i++) yield* touch(`k${i}-`)
      yield* TestClock.adjust("5 minutes")
      expect(ended).toHaveLength(64)
      yield* touch("k200-")
      yield* TestClock.adjust("1 millis")
      expect(ended).toHaveLength(128)
      yield* TestClock.adjust("10 seconds")
      expect(ended).toEqual(Array.from({ length: 199 }, (_, i) => `k${i + 1}-${i + 1}`))
      expect(yield* touch("k200-")).toBe("k200-200")
    })
  )

  it.scoped("where there is no more room the longest idle one goes, and none that is held", () =>
    Effect.gen(function* () {
      const { touch, hold, ended } = yield* withRoom
      yield* hold("held")
      yield* touch("b")
      yield* touch("c")
      yield* touch("b")
      yield* hold("d")
      expect(ended).toEqual(["c3"])
      yield* hold("e")
      expect(ended).toEqual(["c3", "b2"])
      yield* hold("f")
      expect(ended).toEqual(["c3", "b2"])
    })
  )

  it.scoped("one that was dropped is found no more, and ends when it is let go of", () =>
    Effect.gen(function* () {
      const { kept, hold, touch, ended } = yield* withRoom
      const holder = yield* Scope.make()
      yield* Scope.extend(hold("a"), holder)
      yield* touch("b")
      yield* kept.drop(() => true)
      expect(ended).toEqual(["b2"])
      expect(yield* Effect.scoped(kept.find("a"))).toBeNull()
      expect(yield* hold("a")).toBe("a3")
      yield* Scope.close(holder, Exit.void)
      expect(ended).toEqual(["b2", "a1"])
      expect(yield* Effect.scoped(kept.find("a"))).toBe("a3")
    })
  )
})

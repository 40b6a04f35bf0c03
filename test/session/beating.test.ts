/** Which nodes live, as each of them knows it. Time is the test's. */
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { RedisError } from "../../src/redis/RedisError.ts"
import { beating } from "../../src/session/shared/beating.ts"
import { ModelStore } from "./sim/ModelStore.ts"

const lease = Duration.seconds(8)
const period = Duration.seconds(2)

/** A node whose store can fail, and tells what was asked of it. */
const node = (model: ModelStore, self: string) =>
  Effect.gen(function* () {
    const asked: Array<"few" | "all"> = []
    const store = { isAway: false }
    const call = <A>(run: () => A) =>
      Effect.suspend(() =>
        store.isAway
          ? Effect.delay(new RedisError({ operation: "beat", cause: "away" }), "1 second")
          : Effect.sync(run)
      )
    const nodes = yield* beating(
      {
        beat: (name, how) =>
          Effect.zipRight(
            Effect.sync(() => asked.push(how.all ? "all" : "few")),
            call(() => model.beat(name, how))
          ),
        leave: (name) => Effect.sync(() => model.leave(name))
      },
      self,
      lease
    )
    return { ...nodes, asked, store }
  })

const modelStore = Effect.map(Effect.clock, (clock) => new ModelStore(() => clock.unsafeCurrentTimeMillis()))

const beats = (count: number) => TestClock.adjust(Duration.times(period, count))

/** Says for a node that it lives, once. */
const speak = (model: ModelStore, name: string) =>
  Effect.sync(() => model.beat(name, { silentFor: 0, all: false }))

describe("a node", () => {
  it.scoped(
    "is dead when it has been silent for a lease, and not before",
    Effect.fnUntraced(function* () {
      const model = yield* modelStore
      const a = yield* node(model, "a")
      yield* speak(model, "b")
      yield* beats(1)
      // It was not silent yet at that beat.
      yield* beats(4)
      expect(yield* a.isDead("b")).toBe(false)
      yield* beats(1)
      expect(yield* a.isDead("b")).toBe(true)
      expect(a.living()).toBe(1)
      yield* speak(model, "b")
      expect(a.seemsDead("b")).toBe(true)
      expect(yield* a.isDead("b")).toBe(false)
      expect(a.living()).toBe(2)
    })
  )

  it.scoped(
    "lives, though nobody has heard of it yet",
    Effect.fnUntraced(function* () {
      const model = yield* modelStore
      const a = yield* node(model, "a")
      yield* beats(10)
      yield* speak(model, "b")
      expect(a.seemsDead("b")).toBe(true)
      expect(yield* a.isDead("b")).toBe(false)
      expect(a.seemsDead("b")).toBe(false)
      expect(yield* a.isDead("never seen")).toBe(true)
    })
  )

  it.scoped(
    "that leaves is dead at the next beat, also where another one comes just then",
    Effect.fnUntraced(function* () {
      const model = yield* modelStore
      const a = yield* node(model, "a")
      yield* speak(model, "b")
      yield* beats(10)
      yield* speak(model, "b")
      yield* beats(1)
      model.leave("b")
      expect(a.seemsDead("b")).toBe(false)
      yield* beats(1)
      expect(a.seemsDead("b")).toBe(true)
      yield* speak(model, "c")
      yield* beats(1)
      model.leave("c")
      yield* speak(model, "d")
      // Whoever asks about the new one hears of both; and nobody has to ask.
      yield* beats(16)
      expect(a.seemsDead("c")).toBe(true)
    })
  )

  it.scoped(
    "is not told all names again and again",
    Effect.fnUntraced(function* () {
      const model = yield* modelStore
      const a = yield* node(model, "a")
      for (const name of ["b", "c"]) yield* Effect.forkScoped(node(model, name))
      yield* beats(4)
      a.asked.length = 0
      yield* beats(64)
      expect(a.asked).toHaveLength(64)
      expect(a.asked.filter((how) => how === "all")).toHaveLength(4)
    })
  )

  it.scoped(
    "is nobody's prey while the store does not answer, nor for a lease after that",
    Effect.fnUntraced(function* () {
      const model = yield* modelStore
      const a = yield* node(model, "a")
      yield* speak(model, "b")
      yield* beats(2)
      a.store.isAway = true
      yield* beats(20)
      expect(yield* a.isDead("b")).toBe(false)
      a.store.isAway = false
      yield* beats(4)
      expect(yield* a.isDead("b")).toBe(false)
      yield* beats(2)
      expect(yield* a.isDead("b")).toBe(true)
    })
  )

  it.scoped(
    "that cannot say that it lives is told so once for all who wait",
    Effect.fnUntraced(function* () {
      const model = yield* modelStore
      const a = yield* node(model, "a")
      a.store.isAway = true
      yield* beats(10)
      a.asked.length = 0
      const all = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 100 }), () => Effect.either(a.present), {
          concurrency: "unbounded"
        })
      )
      yield* Effect.repeatN(TestClock.adjust("1 second"), 4)
      const outcomes = yield* all
      expect(outcomes.filter(({ _tag }) => _tag === "Left")).toHaveLength(100)
      // One that had begun, one for whoever came then, and those that are due every two seconds.
      expect(a.asked.length).toBeLessThanOrEqual(5)
    })
  )

  it.scoped(
    "that has stood still says that it lives before anything else",
    Effect.fnUntraced(function* () {
      const model = yield* modelStore
      const a = yield* node(model, "a")
      yield* beats(2)
      a.asked.length = 0
      yield* a.present
      expect(a.asked).toEqual([])
      a.store.isAway = true
      yield* beats(10)
      a.store.isAway = false
      a.asked.length = 0
      yield* a.present
      expect(a.asked).toEqual(["all"])
    })
  )
})

/** What the log store promises, on Redis and as the simulator has it; and that both always answer the same. */
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { appending, type Claim, type LogStoreService } from "../../src/session/shared/LogStore.ts"
import { type RedisCluster, redisCluster } from "../support/faults/redisCluster.ts"
import { recorder } from "./listening.ts"
import { bothStores, type Harness, keptOf, redisAt, stores } from "./sim/bothStores.ts"
import { transcripts } from "./sim/transcripts.ts"

const key = "1:flow:chat"

const claimOf = (self: string, others: Partial<Claim> = {}): Claim => ({
  self,
  dead: null,
  epoch: `of ${self}`,
  seq: 0,
  known: { epoch: "", seq: 0 },
  continues: false,
  ...others
})

/** Claims what can be claimed. */
const take = (store: LogStoreService, self: string, others: Partial<Claim> = {}) =>
  Effect.flatMap(store.claim(key, claimOf(self, others)), (claimed) =>
    claimed._tag === "Yours" ? Effect.succeed(claimed) : Effect.dieMessage(`held by ${claimed.owner}`)
  )

const append = (store: LogStoreService, fence: string, after: number, last: number, batch = `to ${last}`) =>
  appending(store, key, { fence, after, last, batch, running: true })

const eventually = (condition: () => boolean) =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.fail("not yet"))).pipe(
    Effect.retry(Schedule.spaced("2 millis")),
    Effect.timeout("10 seconds"),
    Effect.orDie
  )

class SharedCluster extends Context.Tag("test/SharedCluster")<SharedCluster, RedisCluster>() {}

/** One for all tests here: it takes seconds to come up. */
const clusterRuntime = ManagedRuntime.make(Layer.scoped(SharedCluster, redisCluster))
afterAll(() => clusterRuntime.dispose())
const inCluster = Effect.promise(() => clusterRuntime.runPromise(SharedCluster)).pipe(
  Effect.flatMap(({ url }) => redisAt(url))
)

describe.each([...stores, ["a Redis Cluster", inCluster] as const])("the log store in %s", (_, make) => {
  const test = (words: string, body: (harness: Harness) => Effect.Effect<void, unknown, Scope.Scope>) =>
    it.scopedLive(words, () => Effect.flatMap(make, body))

  test("gives a session to one node at a time, and says to the others which one has it", ({ store }) =>
    Effect.gen(function* () {
      const first = yield* take(store, "a")
      expect(first).toMatchObject({ epoch: "of a", seq: 0 })
      expect(yield* store.claim(key, claimOf("b"))).toEqual({ _tag: "Held", owner: "a" })
      const again = yield* take(store, "a")
      expect(BigInt(again.fence) > BigInt(first.fence)).toBe(true)
      yield* store.release(key, again.fence)
      expect(yield* take(store, "b")).toMatchObject({ epoch: "of a", seq: 0 })
    }))

  describe("says to who gives a session back whether another node has wanted it:", () => {
    test("not where nobody did", ({ store }) =>
      Effect.gen(function* () {
        const { fence } = yield* take(store, "a")
        expect(yield* store.release(key, fence)).toBe(false)
        // Nobody had it.
        yield* store.want(key)
        const again = yield* take(store, "a")
        expect(yield* store.release(key, again.fence)).toBe(false)
      }))

    test("where it tried to claim it, though its holder was another one then", ({ store }) =>
      Effect.gen(function* () {
        yield* take(store, "a")
        yield* store.claim(key, claimOf("b"))
        const { fence } = yield* take(store, "c", { dead: "a" })
        expect(yield* store.release(key, fence)).toBe(true)
        const again = yield* take(store, "c")
        expect(yield* store.release(key, again.fence)).toBe(false)
      }))

    test("where it said so", ({ store }) =>
      Effect.gen(function* () {
        const { fence } = yield* take(store, "a")
        yield* store.want(key)
        expect(yield* store.release(key, fence)).toBe(true)
      }))

    test("and where that cannot be known", ({ store, lose }) =>
      Effect.gen(function* () {
        const { fence } = yield* take(store, "a")
        yield* store.release(key, fence)
        // The first answer may have been lost.
        expect(yield* store.release(key, fence)).toBe(true)
        yield* take(store, "a")
        expect(yield* store.release(key, fence)).toBe(true)
        yield* lose(key)
        yield* store.want(key)
        expect(yield* store.release(key, fence)).toBe(true)
        expect(yield* store.read(key, 0)).toEqual(Option.none())
      }))
  })

  test("takes a session from the node that is said to be dead, and from no other", ({ store }) =>
    Effect.gen(function* () {
      yield* take(store, "a")
      expect(yield* store.claim(key, claimOf("b", { dead: "c" }))).toEqual({ _tag: "Held", owner: "a" })
      yield* take(store, "b", { dead: "a" })
      expect((yield* keptOf(store, key)).owner).toBe("b")
    }))

  test("refuses the fence of an earlier holder, whatever it sends", ({ store }) =>
    Effect.gen(function* () {
      const stale = yield* take(store, "a")
      yield* append(store, stale.fence, 0, 2)
      const { fence } = yield* take(store, "b", { dead: "a" })
      expect(yield* append(store, stale.fence, 2, 3)).toEqual({ _tag: "Fenced" })
      yield* store.release(key, stale.fence)
      expect(yield* keptOf(store, key)).toEqual({ epoch: "of a", seq: 2, owner: "b", batches: ["to 2"] })
      expect(yield* append(store, fence, 2, 3)).toEqual({ _tag: "Ok" })
      // The same node, before and after it has claimed again.
      yield* take(store, "b")
      expect(yield* append(store, fence, 3, 4)).toEqual({ _tag: "Fenced" })
    }))

  test("appends a batch where it follows the last one, and otherwise says where that ended", ({ store }) =>
    Effect.gen(function* () {
      const { fence } = yield* take(store, "a")
      expect(yield* append(store, fence, 0, 3)).toEqual({ _tag: "Ok" })
      expect(yield* append(store, fence, 0, 3)).toEqual({ _tag: "At", seq: 3 })
      expect(yield* append(store, fence, 5, 6)).toEqual({ _tag: "At", seq: 3 })
      // How things stand may change without a frame.
      expect(yield* append(store, fence, 3, 3, "rests")).toEqual({ _tag: "Ok" })
      expect((yield* keptOf(store, key)).batches).toEqual(["to 3", "rests"])
    }))

  test("reads from a number on, the batch that holds it included", ({ store }) =>
    Effect.gen(function* () {
      expect(yield* store.read(key, 0)).toEqual(Option.none())
      const { fence } = yield* take(store, "a")
      for (const last of [2, 5, 9]) yield* append(store, fence, last === 2 ? 0 : last === 5 ? 2 : 5, last)
      expect((yield* keptOf(store, key)).batches).toEqual(["to 2", "to 5", "to 9"])
      expect((yield* keptOf(store, key, 5)).batches).toEqual(["to 5", "to 9"])
      expect((yield* keptOf(store, key, 6)).batches).toEqual(["to 9"])
      expect((yield* keptOf(store, key, 9)).batches).toEqual(["to 9"])
      expect((yield* keptOf(store, key, 10)).batches).toEqual([])
    }))

  test("begins another epoch where it has less than the claimer knows", ({ store }) =>
    Effect.gen(function* () {
      const { fence } = yield* take(store, "a")
      yield* append(store, fence, 0, 3)
      const same = yield* take(store, "a", { epoch: "new", known: { epoch: "of a", seq: 3 } })
      expect(same).toMatchObject({ epoch: "of a", seq: 3 })
      const other = yield* take(store, "a", { epoch: "new", seq: 7, known: { epoch: "of a", seq: 4 } })
      expect(other).toMatchObject({ epoch: "new", seq: 7 })
      expect(yield* keptOf(store, key)).toEqual({ epoch: "new", seq: 7, owner: "a", batches: [] })
    }))

  test("begins another epoch on another server, unless the holder goes on", ({ store, move }) =>
    Effect.gen(function* () {
      const { fence } = yield* take(store, "a")
      yield* append(store, fence, 0, 3)
      yield* move(key)
      expect(yield* take(store, "a", { continues: true, epoch: "new" })).toMatchObject({
        epoch: "of a",
        seq: 3
      })
      yield* move(key)
      expect(yield* take(store, "b", { dead: "a" })).toMatchObject({ epoch: "of b", seq: 0 })
    }))

  test("begins another epoch for a holder of long ago, as another server remembers it", ({ store, move }) =>
    Effect.gen(function* () {
      const { fence } = yield* take(store, "a")
      yield* append(store, fence, 0, 3)
      yield* move(key)
      expect(yield* take(store, "a", { epoch: "new" })).toMatchObject({ epoch: "new", seq: 0 })
    }))

  test("begins another epoch after a holder that went on with what was lost", ({ store, lose, move }) =>
    Effect.gen(function* () {
      for (const loss of [lose, move]) {
        const { fence } = yield* take(store, "a")
        yield* append(store, fence, 0, 3)
        yield* loss(key)
        const again = yield* take(store, "a", { continues: true, seq: 3 })
        expect(again).toMatchObject({ epoch: "of a", seq: 3 })
        expect(yield* append(store, again.fence, 3, 4)).toEqual({ _tag: "Ok" })
        expect(yield* take(store, "b", { dead: "a" })).toMatchObject({ epoch: "of b", seq: 0 })
        yield* lose(key)
      }
    }))

  test("says that a session is gone, and begins it anew", ({ store, lose }) =>
    Effect.gen(function* () {
      const { fence } = yield* take(store, "a")
      yield* append(store, fence, 0, 3)
      yield* lose(key)
      expect(yield* append(store, fence, 3, 4)).toEqual({ _tag: "Gone" })
      yield* store.release(key, fence)
      expect(yield* store.read(key, 0)).toEqual(Option.none())
      expect(yield* take(store, "b", { seq: 3 })).toMatchObject({ epoch: "of b", seq: 3 })
    }))

  test("knows where a session stood whose frames have expired", ({ store, expire }) =>
    Effect.gen(function* () {
      const { fence } = yield* take(store, "a")
      yield* append(store, fence, 0, 3)
      yield* store.release(key, fence)
      yield* expire(key)
      expect(yield* keptOf(store, key)).toEqual({ epoch: "of a", seq: 3, owner: "", batches: [] })
      expect(yield* take(store, "b")).toMatchObject({ epoch: "of a", seq: 3 })
    }))

  test("looks at many sessions at once", ({ store }) =>
    Effect.gen(function* () {
      const { fence } = yield* take(store, "a")
      yield* append(store, fence, 0, 3)
      const held = { epoch: "of a", seq: 3, owner: "a" }
      expect(yield* store.glance(["1:flow:other", key])).toEqual([null, held])
      yield* store.release(key, fence)
      expect(yield* store.glance([key])).toEqual([{ ...held, owner: "" }])
    }))

  test("tells who follows a session of each batch in order, and of notes, until they stop", ({ store }) =>
    Effect.gen(function* () {
      const { heard, noted, listener, began } = recorder()
      const follower = store.follow(key, listener).pipe(
        Effect.zipRight(eventually(() => began() === 1)),
        Effect.zipRight(
          Effect.gen(function* () {
            expect(yield* store.followers(key)).toBe(1)
            const { fence } = yield* take(store, "a")
            for (let last = 1; last <= 20; last++) yield* append(store, fence, last - 1, last)
            yield* append(store, fence, 3, 4)
            yield* store.note(key, "a note")
            yield* eventually(() => noted.length > 0)
            return fence
          })
        ),
        Effect.scoped
      )
      const fence = yield* follower
      expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => `to ${i + 1}`))
      expect(noted).toEqual(["a note"])
      yield* store.followers(key).pipe(Effect.repeat({ until: (count) => count === 0 }))
      yield* append(store, fence, 20, 21)
      expect(heard.length).toBe(20)
    }))

  test("carries what a node says to another one, and to nobody else", ({ store }) =>
    Effect.gen(function* () {
      const [one, two] = [recorder(), recorder()]
      yield* store.attend("a", one.listener)
      yield* store.attend("b", two.listener)
      yield* eventually(() => one.began() === 1 && two.began() === 1)
      yield* store.tell("a", "to a")
      yield* store.tell("b", "to b")
      yield* eventually(() => one.heard.length + two.heard.length === 2)
      expect([one.heard, two.heard]).toEqual([["to a"], ["to b"]])
    }))

  test("says which nodes there are, until they leave", ({ store }) =>
    Effect.gen(function* () {
      const all = { silentFor: 60_000, all: true }
      expect(yield* store.beat("a", all)).toEqual({ wasKnown: false, count: 1, silent: [], all: ["a"] })
      const both = yield* store.beat("b", all)
      expect({ ...both, all: both.all?.toSorted() }).toEqual({
        wasKnown: false,
        count: 2,
        silent: [],
        all: ["a", "b"]
      })
      const few = { silentFor: 60_000, all: false }
      expect(yield* store.beat("b", few)).toEqual({ wasKnown: true, count: 2, silent: [], all: null })
      yield* store.leave("a")
      expect(yield* store.beat("b", all)).toEqual({ wasKnown: true, count: 1, silent: [], all: ["b"] })
    }))

  test("takes a node for silent whose last word is yet to come", ({ store, ahead }) =>
    Effect.gen(function* () {
      const asked = { silentFor: 60_000, all: false }
      yield* store.beat("a", asked)
      yield* ahead("a")
      expect((yield* store.beat("b", asked)).silent).toEqual(["a"])
      expect((yield* store.beat("a", asked)).silent).toEqual([])
    }))

  test("says which nodes are silent, until they speak", ({ store }) =>
    Effect.gen(function* () {
      const asked = { silentFor: 50, all: false }
      yield* store.beat("a", asked)
      yield* Effect.repeat(store.beat("b", asked), {
        until: ({ silent }) => silent.includes("a"),
        schedule: Schedule.spaced("5 millis")
      })
      expect(yield* store.beat("a", asked)).toEqual({ wasKnown: true, count: 2, silent: [], all: null })
    }))
})

it.scopedLive("Redis and the simulator answer the same to whatever nodes do", () =>
  Effect.gen(function* () {
    const [redis, model] = yield* bothStores
    for (let seed = 1; seed <= 300; seed++) {
      const [expected, answered] = yield* transcripts(seed, 40, [redis, model])
      expect(answered, `seed ${seed}`).toEqual(expected)
    }
  })
)

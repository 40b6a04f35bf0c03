/** In a Redis Cluster, what is said of a session stays on the server that has it, wherever that is. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { appending, type LogStoreService } from "../../src/session/shared/LogStore.ts"
import type { RedisServer } from "../support/faults/redis.ts"
import { type RedisCluster, redisCluster } from "../support/faults/redisCluster.ts"
import { recorder } from "./listening.ts"
import { redisAt } from "./sim/bothStores.ts"

const key = "1:flow:chat"

const eventually = (condition: Effect.Effect<boolean, Error>) =>
  Effect.repeat(condition, { until: (isSo) => isSo, schedule: Schedule.spaced("10 millis") }).pipe(
    Effect.timeout("20 seconds")
  )

const claim = (store: LogStoreService) =>
  store.claim(key, {
    self: "a",
    dead: null,
    epoch: "e",
    seq: 0,
    known: { epoch: "", seq: 0 },
    continues: false
  })

/** Words that the servers of a Cluster have passed on to each other. */
const passedOn = ({ nodes }: RedisCluster) =>
  Effect.map(
    Effect.forEach(nodes, ({ command }) => command("CLUSTER", "INFO")),
    (infos) =>
      infos.flatMap((info) =>
        [...info.matchAll(/cluster_stats_messages_publish\w*_sent:(\d+)/g)].map(([, count]) => Number(count))
      )
  )

/** Each server's channels, as it names them. */
const channelsOf = ({ nodes }: RedisCluster) =>
  Effect.forEach(nodes, ({ command }) => command("PUBSUB", "SHARDCHANNELS"))

it.scopedLive("what is written goes to whoever listens, over no other server", () =>
  Effect.gen(function* () {
    const cluster = yield* redisCluster
    const { store } = yield* redisAt(cluster.url)
    // Of the same session under another prefix.
    const stranger = yield* redisAt(cluster.url)
    const mine = recorder()
    const other = recorder()
    yield* store.follow(key, mine.listener)
    yield* stranger.store.follow(key, other.listener)
    yield* eventually(Effect.sync(() => mine.began() > 0 && other.began() > 0))
    const claimed = yield* claim(store)
    if (claimed._tag !== "Yours") return expect(claimed._tag).toBe("Yours")
    for (let last = 1; last <= 50; last++) {
      yield* appending(store, key, {
        fence: claimed.fence,
        after: last - 1,
        last,
        batch: `to ${last}`,
        running: true
      })
    }
    yield* eventually(Effect.sync(() => mine.heard.length === 50))
    expect(mine.heard).toEqual(Array.from({ length: 50 }, (_, i) => `to ${i + 1}`))
    expect(other.heard).toEqual([])
    expect((yield* passedOn(cluster)).filter((count) => count > 0)).toEqual([])
  })
)

it.scopedLive(
  "whoever listens goes on where the session moves to, and is told that something may be missing",
  () =>
    Effect.gen(function* () {
      const cluster = yield* redisCluster
      const { store, hash } = yield* redisAt(cluster.url)
      const { heard, listener, began } = recorder()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* store.follow(key, listener)
          yield* eventually(Effect.sync(() => began() > 0))
          const before = began()
          const claimed = yield* claim(store)
          if (claimed._tag !== "Yours") return expect(claimed._tag).toBe("Yours")
          const say = (last: number) =>
            appending(store, key, {
              fence: claimed.fence,
              after: last - 1,
              last,
              batch: `to ${last}`,
              running: true
            })
          yield* say(1)
          yield* eventually(Effect.sync(() => heard.includes("to 1")))
          yield* cluster.moveSlotOf(hash(key))
          let last = 1
          // Until listening has begun again, words may be lost.
          yield* eventually(
            Effect.suspend(() => {
              last += 1
              return Effect.map(say(last), () => heard.includes(`to ${last - 1}`) && last > 2)
            })
          )
          expect(began()).toBeGreaterThan(before)
          expect((yield* channelsOf(cluster)).filter((names) => names.includes(":live")).length).toBe(1)
        })
      )
      // Nobody listens any more, on the old server or on the new one.
      yield* eventually(
        Effect.map(channelsOf(cluster), (all) => all.every((names) => !names.includes(":live")))
      )
    })
)

/** Both happen to every server, one after the other: one of them has the session. */
it.scopedLive.each([
  ["its server was away", ({ restart }: RedisServer) => restart],
  ["its connection is cut", ({ command }: RedisServer) => command("CLIENT", "KILL", "TYPE", "pubsub")]
] as const)(
  "whoever listens goes on after %s",
  ([, trouble]) =>
    Effect.gen(function* () {
      const cluster = yield* redisCluster
      const { store } = yield* redisAt(cluster.url)
      const { noted, listener, began } = recorder()
      yield* store.follow(key, listener)
      yield* eventually(Effect.sync(() => began() > 0))
      const before = began()
      for (const server of cluster.nodes) yield* trouble(server)
      yield* eventually(
        store.note(key, "are you there").pipe(
          Effect.map(() => noted.length > 0),
          Effect.orElseSucceed(() => false)
        )
      )
      expect(began()).toBeGreaterThan(before)
    }),
  60_000
)

/** Each takes longer to end than a subscription is tried. */
it.scopedLive.each([
  [
    "the servers are frozen",
    "8 seconds",
    ({ nodes }: RedisCluster) =>
      Effect.as(
        Effect.forEach(nodes, ({ pause }) => pause, { discard: true }),
        Effect.forEach(nodes, ({ resume }) => resume, { discard: true })
      )
  ],
  ["nobody serves its slot", "4 seconds", ({ takeSlotOf }: RedisCluster, name: string) => takeSlotOf(name)]
] as const)(
  "whoever begins to listen while %s hears afterwards",
  ([, lasting, trouble]) =>
    Effect.gen(function* () {
      const cluster = yield* redisCluster
      const { store, hash } = yield* redisAt(cluster.url)
      const { noted, listener } = recorder()
      const end = yield* trouble(cluster, hash(key))
      yield* store.follow(key, listener)
      yield* Effect.sleep(lasting)
      yield* end
      yield* eventually(
        store.note(key, "are you there").pipe(
          Effect.map(() => noted.length > 0),
          Effect.orElseSucceed(() => false)
        )
      )
    }),
  60_000
)

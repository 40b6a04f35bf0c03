/** Redis or the database gone for a while: what was accepted is answered, and no client is left in the dark. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { isClose, type TestClient } from "../../support/client.ts"
import { mariaDb } from "../../support/faults/mariadb.ts"
import { type RedisServer, redisServer } from "../../support/faults/redis.ts"
import { redisCluster } from "../../support/faults/redisCluster.ts"
import { redisSentinel } from "../../support/faults/redisSentinel.ts"
import { historyOf } from "../../support/process.ts"
import { asking, disorder, gaps, hasStreamed, type Stage, stage, textOf } from "./stage.ts"

const patience = { timeout: 180_000 }

const eventually = (client: TestClient, count: number, seconds: number) =>
  Effect.sync(() => client.frames.filter(isClose).length).pipe(
    Effect.repeat({ until: (seen) => seen >= count, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutFail({
      duration: `${seconds} seconds`,
      onTimeout: () => new Error(`${count} closes; saw ${client.frames.map(({ type }) => type).join(" ")}`)
    })
  )

/**
 * An answer in the middle of which something happens, and one after it, with a tab on each node: both come to
 * their end with their whole text, in history and on every tab that was not told of a gap.
 */
const throughout = ({ open, node, flowId, token }: Stage, fault: Effect.Effect<void, Error>, length = 600) =>
  Effect.gen(function* () {
    const tabs = [yield* open(0), yield* open(1)]
    const [asker, other] = tabs
    if (asker === undefined || other === undefined) return
    yield* asker.say(asking(`tokens=${length} delay=5`, "m1"))
    yield* hasStreamed(other, "w40 ")
    yield* fault
    for (const tab of tabs) yield* eventually(tab, 1, 60)
    yield* other.say(asking("tokens=5", "m2"))
    for (const tab of tabs) yield* eventually(tab, 2, 30)
    const rows = yield* historyOf(node(1), token, flowId, "c1")
    expect(rows.map(({ category, remark }) => [category, remark])).toEqual([
      ["question", ""],
      ["answer", ""],
      ["question", ""],
      ["answer", ""]
    ])
    const text = String(rows[1]?.["message"])
    expect(text.trim().split(" ")).toHaveLength(length)
    for (const tab of tabs) {
      expect(disorder(tab.frames)).toBeNull()
      const runId = tab.frames.find(({ type }) => type === "begin")?.run_id
      // The first message of a fresh socket says that nothing is resumed.
      if (gaps(tab) === 1) expect(textOf(tab, runId)).toBe(text)
    }
  })

const redisFaults: Readonly<Record<string, (redis: RedisServer) => Effect.Effect<void, Error>>> = {
  "is emptied": (redis) => redis.flush,
  "is killed, and comes back with nothing": (redis) =>
    redis.kill.pipe(Effect.zipRight(Effect.delay(redis.start, "1 second"))),
  "is frozen for four seconds": (redis) =>
    redis.pause.pipe(Effect.zipRight(Effect.delay(redis.resume, "4 seconds")))
}

describe("an answer, while Redis", () => {
  for (const [what, fault] of Object.entries(redisFaults)) {
    it.scopedLive(
      `${what}, comes to its end`,
      () =>
        Effect.gen(function* () {
          const redis = yield* redisServer()
          const made = yield* stage({ redisUrl: redis.url })
          yield* throughout(made, fault(redis))
        }),
      patience
    )
  }

  it.scopedLive(
    "fails over to a replica, comes to its end",
    () =>
      Effect.gen(function* () {
        const sentinel = yield* redisSentinel
        const made = yield* stage({ redisUrl: sentinel.url })
        yield* throughout(made, sentinel.failover, 1500)
      }),
    patience
  )

  it.scopedLive(
    "moves the session to another node of its Cluster, comes to its end",
    () =>
      Effect.gen(function* () {
        const cluster = yield* redisCluster
        const made = yield* stage({ redisUrl: cluster.url })
        const user = JSON.parse(Buffer.from(made.token.split(".")[1] ?? "", "base64url").toString())
        const { user_id } = JSON.parse(user.sub)
        yield* throughout(made, cluster.moveSlotOf(`session:{${user_id}:${made.flowId}:c1}`))
      }),
    patience
  )
})

describe("an answer, while the database", () => {
  it.scopedLive(
    "is killed and started again, comes to its end",
    () =>
      Effect.gen(function* () {
        const redis = yield* redisServer()
        const database = yield* mariaDb
        const databaseUrl = yield* database.freshDatabase
        const made = yield* stage({ redisUrl: redis.url, databaseUrl })
        yield* throughout(made, database.restart)
      }),
    patience
  )

  it.scopedLive(
    "is frozen for thirty seconds, comes to its end",
    () =>
      Effect.gen(function* () {
        const redis = yield* redisServer()
        const database = yield* mariaDb
        const databaseUrl = yield* database.freshDatabase
        const made = yield* stage({ redisUrl: redis.url, databaseUrl })
        yield* throughout(
          made,
          database.pause.pipe(Effect.zipRight(Effect.delay(database.resume, "30 seconds")))
        )
      }),
    patience
  )
})

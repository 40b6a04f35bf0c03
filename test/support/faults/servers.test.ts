import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { mysqlClient } from "../../../src/storage/sql/clients.ts"
import { mariaDb } from "./mariadb.ts"
import { answers } from "./ports.ts"
import { redisServer } from "./redis.ts"
import { redisCluster } from "./redisCluster.ts"
import { redisSentinel } from "./redisSentinel.ts"

const patience = { timeout: 60_000 }

describe("a Redis under test control", () => {
  it.scopedLive("comes back empty at the same port, or with all it had where it persists", () =>
    Effect.gen(function* () {
      const kept = yield* redisServer({ persistent: true })
      const empty = yield* redisServer()
      for (const redis of [kept, empty]) {
        yield* redis.command("SET", "k", "v")
        yield* redis.restart
      }
      expect(yield* kept.command("GET", "k")).toBe("v")
      expect(yield* empty.command("GET", "k")).toBe("")
      yield* kept.flush
      expect(yield* kept.command("GET", "k")).toBe("")
    })
  )

  it.scopedLive("is silent while it is paused, and gone while it is killed", () =>
    Effect.gen(function* () {
      const redis = yield* redisServer()
      yield* redis.pause
      const silent = yield* Effect.flip(answers(redis.port, "PING\r\n"))
      expect(silent.message).toContain("no answer")
      yield* redis.resume
      yield* answers(redis.port, "PING\r\n")
      yield* redis.kill
      expect(redis.pid()).toBe(null)
      expect(Either.isLeft(yield* Effect.either(answers(redis.port, "PING\r\n")))).toBe(true)
      yield* redis.start
    })
  )
})

it.scopedLive(
  "a Redis Cluster moves slots while it keeps what is in them",
  () =>
    Effect.gen(function* () {
      const cluster = yield* redisCluster
      const holders = (key: string) =>
        Effect.map(
          Effect.forEach(cluster.nodes, ({ command }) => Effect.either(command("GET", key))),
          (found) => found.map((one) => (Either.isRight(one) ? one.right : "elsewhere"))
        )
      const key = "session:{some}"
      for (const { command } of cluster.nodes) yield* Effect.either(command("SET", key, "kept"))
      const before = yield* holders(key)
      expect([...before].sort()).toEqual(["elsewhere", "elsewhere", "kept"])
      yield* cluster.moveSlotOf(key)
      const after = yield* holders(key)
      expect([...after].sort()).toEqual(["elsewhere", "elsewhere", "kept"])
      expect(after.indexOf("kept")).toBe((before.indexOf("kept") + 1) % 3)
      yield* cluster.moveSlots(50)
      const counts = yield* Effect.forEach(cluster.nodes, ({ command }) =>
        Effect.map(command("CLUSTER", "INFO"), (info) => info.includes("cluster_slots_ok:16384"))
      )
      expect(counts).toEqual([true, true, true])
    }),
  patience
)

it.scopedLive(
  "Sentinels put the replica in the killed master's place, and the killed one back as a replica",
  () =>
    Effect.gen(function* () {
      const sentinel = yield* redisSentinel
      const old = yield* sentinel.master
      yield* old.command("SET", "k", "v")
      yield* old.command("WAIT", "1", "5000")
      yield* sentinel.failover
      const now = yield* sentinel.master
      expect(now.port).not.toBe(old.port)
      expect(yield* now.command("GET", "k")).toBe("v")
      yield* sentinel.revive
      expect(yield* old.command("ROLE")).toContain("slave")
      expect(yield* old.command("GET", "k")).toBe("v")
    }),
  patience
)

it.scopedLive(
  "a MariaDB under test control keeps what it acknowledged when it is killed, and waits while it is paused",
  () =>
    Effect.gen(function* () {
      const database = yield* mariaDb
      const url = yield* database.freshDatabase
      const query = (statement: string) =>
        Effect.provide(
          Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)),
          mysqlClient(Redacted.make(url))
        )
      yield* query("CREATE TABLE t (n INT)")
      yield* query("INSERT INTO t VALUES (1)")
      yield* database.restart
      expect(yield* query("SELECT n FROM t")).toEqual([{ n: 1 }])
      yield* database.pause
      expect((yield* Effect.flip(answers(database.port, ""))).message).toContain("no answer")
      yield* database.resume
      expect(yield* query("SELECT n FROM t")).toEqual([{ n: 1 }])
    }),
  patience
)

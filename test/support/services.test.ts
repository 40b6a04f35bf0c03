import { connect } from "node:net"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mysqlClient } from "../../src/storage/sql/clients.ts"
import { freshDatabase } from "./database.ts"

it.scopedLive("MariaDB or MySQL answers from a database of its own", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const rows = yield* Effect.provide(
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT DATABASE() AS name, 1 + 1 AS two`),
      mysqlClient(Redacted.make(url))
    )
    expect(rows).toEqual([{ name: expect.stringMatching(/^test_[0-9a-f]{32}$/), two: 2 }])
  })
)

it.live("Redis answers", () =>
  Effect.gen(function* () {
    const url = new URL(yield* Config.string("TEST_REDIS_URL"))
    const answer = yield* Effect.async<string, Error>((resume) => {
      const socket = connect(Number(url.port || 6379), url.hostname)
      socket.once("error", (error) => resume(Effect.fail(error)))
      socket.once("data", (data) => {
        socket.destroy()
        resume(Effect.succeed(data.toString()))
      })
      socket.write("*1\r\n$4\r\nPING\r\n")
    })
    expect(answer).toBe("+PONG\r\n")
  })
)

/**
 * Databases for tests, each empty, each gone with its scope: a fresh one on the MySQL server that
 * TEST_MYSQL_URL names (`npm test` starts one; `node scripts/services.mjs` does by hand), and a SQLite file
 * in a folder of its own.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Storage } from "../../src/storage/Storage.ts"
import { mysqlClient } from "../../src/storage/sql/clients.ts"

const rootUrl = Config.redacted("TEST_MYSQL_URL").pipe(
  Effect.mapError(() => new Error("TEST_MYSQL_URL is not set: run npm test, or node scripts/services.mjs"))
)

/** The address of a new database, as DATABASE_URL takes it. */
export const freshDatabase = Effect.gen(function* () {
  const root = yield* rootUrl
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`
  const asRoot = (statement: string) =>
    Effect.provide(
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)),
      mysqlClient(root)
    )
  yield* Effect.acquireRelease(asRoot(`CREATE DATABASE ${name}`), () =>
    Effect.orDie(asRoot(`DROP DATABASE ${name}`))
  )
  const url = new URL(Redacted.value(root))
  url.pathname = `/${name}`
  return url.href
}).pipe(Effect.orDie)

/** A folder that is removed with its scope. */
export const freshFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "colloquy-test-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
)

/** All stores over a new MySQL database. */
export const MysqlStorage = Layer.unwrapScoped(
  Effect.map(freshDatabase, (url) => Storage.Mysql(Redacted.make(url)))
)

/** All stores over a new SQLite file. */
export const SqliteStorage = Layer.unwrapScoped(
  Effect.map(freshFolder, (folder) => Storage.Sqlite(join(folder, "colloquy.db")))
)

/**
 * The two databases that can be connected to. The driver of the one that is not used is not loaded: MySQL's is a
 * fifteenth of the time to start.
 */
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { PoolOptions } from "mysql2"
import { StorageError } from "../StorageError.ts"
import { during } from "./Database.ts"

/**
 * Connections to one server: for transactions, each of which holds one for as many turns of the event loop as it has
 * statements, and for statements that are by themselves.
 */
const writers = 8
const readers = 8

/** Statements that a connection keeps prepared; the servers allow about 16,000 for all connections together. */
const preparedStatements = 200

/** The longest that a statement may take: longer than the servers let one wait for a lock, which is 50 seconds. */
const longest = Duration.minutes(1)

/** So that a line with nothing to say is neither forgotten by what is in between, nor dead without being noticed. */
const keepAliveMillis = 30_000

export const mysqlClient = (url: Redacted.Redacted, limit: Duration.DurationInput = longest) => {
  const options: PoolOptions = {
    uri: Redacted.value(url),
    supportBigNumbers: true,
    maxPreparedStatements: preparedStatements,
    keepAliveInitialDelay: keepAliveMillis,
    charset: "utf8mb4_unicode_ci",
    timezone: "Z",
    // Times are decoded where rows are, the same for all databases.
    dateStrings: true,
    // The client asks for several statements in one text, which nothing here needs, and files from here.
    flags: ["-MULTI_STATEMENTS", "-LOCAL_FILES"]
  }
  return Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => import("./mysql.ts")),
      ({ mysqlLayer }) => mysqlLayer(options, { readers, writers }, limit)
    )
  ).pipe(
    Layer.catchAll((cause) => Layer.fail(new StorageError({ operation: "connect to the database", cause })))
  )
}

export const sqliteClient = (filename: string) =>
  Layer.unwrapEffect(
    Effect.zipRight(
      Effect.sync(() => mkdirSync(dirname(filename), { recursive: true, mode: 0o700 })),
      Effect.map(
        Effect.promise(() => import("@effect/sql-sqlite-node/SqliteClient")),
        ({ layer }) => layer({ filename })
      )
    )
  ).pipe(
    Layer.catchAllCause((cause) =>
      Layer.fail(new StorageError({ operation: `open ${filename}`, cause: Cause.squash(cause) }))
    ),
    Layer.tap((context) => setUpSqlite.pipe(Effect.provide(context)))
  )

/** How long one server waits for another that writes to the same file. */
const busyTimeout = 5000

/** With a write-ahead log a commit survives the death of this process, and readers never wait. */
const setUpSqlite = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`PRAGMA busy_timeout = ${busyTimeout}`)
  yield* sql.unsafe("PRAGMA synchronous = NORMAL")
  yield* sql.unsafe("PRAGMA foreign_keys = ON")
}).pipe(during("set up the database file"))

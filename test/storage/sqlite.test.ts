import { statSync } from "node:fs"
import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Storage } from "../../src/storage/Storage.ts"
import { sqliteClient } from "../../src/storage/sql/clients.ts"
import { freshFolder, SqliteStorage } from "../support/database.ts"
import { sqlSuite } from "./sql.ts"
import { storageSuite } from "./suite.ts"

storageSuite("the SQLite storage", SqliteStorage)

sqlSuite(
  "the SQLite file",
  Effect.map(freshFolder, (folder) => {
    const file = join(folder, "colloquy.db")
    return Layer.merge(Storage.Sqlite(file), sqliteClient(file))
  })
)

it.scopedLive("a SQLite file is made with its folder, logs ahead, and waits for other servers", () =>
  Effect.gen(function* () {
    const file = join(yield* freshFolder, "not", "there", "colloquy.db")
    const pragmas = yield* Effect.provide(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        return [
          ...(yield* sql`PRAGMA journal_mode`),
          ...(yield* sql`PRAGMA busy_timeout`),
          ...(yield* sql`PRAGMA foreign_keys`)
        ]
      }),
      sqliteClient(file)
    )
    expect(statSync(file).isFile()).toBe(true)
    expect(pragmas).toEqual([{ journal_mode: "wal" }, { timeout: 5000 }, { foreign_keys: 1 }])
  })
)

it.scopedLive("a SQLite file that cannot be opened is named", () =>
  Effect.gen(function* () {
    const folder = yield* freshFolder
    const error = yield* Effect.flip(Layer.build(Storage.Sqlite(folder)))
    expect(error).toMatchObject({ _tag: "StorageError", operation: `open ${folder}` })
  })
)

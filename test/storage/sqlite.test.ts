import { spawn } from "node:child_process"
import { statSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Messages } from "../../src/storage/Messages.ts"
import { Storage } from "../../src/storage/Storage.ts"
import { sqliteClient } from "../../src/storage/sql/clients.ts"
import { freshFolder, SqliteStorage } from "../support/database.ts"
import { sqlSuite } from "./sql.ts"
import { freshId, round, times } from "./suite/vocabulary.ts"
import { storageSuite } from "./suite.ts"

const script = fileURLToPath(new URL("./otherServer.mjs", import.meta.url))

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

it.scopedLive("two processes write to one file, and neither loses anything", () =>
  Effect.gen(function* () {
    const file = join(yield* freshFolder, "colloquy.db")
    const stores = yield* Layer.build(Layer.merge(Storage.Sqlite(file), sqliteClient(file)))
    const other = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [script, file], { stdio: ["pipe", "pipe", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const lines = createInterface({ input: other.stdout })
    const line = Effect.async<string>((resume) => {
      lines.once("line", (text) => resume(Effect.succeed(text)))
    })
    expect(yield* line).toBe("writing")
    const chatId = freshId()
    const rounds = times(20, (i) => Effect.provide(round(chatId, `q${i}`), stores))
    yield* Effect.all(rounds, { concurrency: "unbounded" })
    other.stdin.end()
    const written = Number(yield* line)
    const kept = yield* Effect.provide(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const messages = yield* Messages
        return {
          other: yield* sql`SELECT n FROM other`,
          messages: yield* messages.page({ chatId, before: null, limit: 100 })
        }
      }),
      stores
    )
    expect(kept.other).toEqual([{ n: written }])
    expect(kept.messages).toHaveLength(40)
  })
)

it.scopedLive("a SQLite file that cannot be opened is named", () =>
  Effect.gen(function* () {
    const folder = yield* freshFolder
    const error = yield* Effect.flip(Layer.build(Storage.Sqlite(folder)))
    expect(error).toMatchObject({ _tag: "StorageError", operation: `open ${folder}` })
  })
)

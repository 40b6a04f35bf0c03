import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { migrate } from "../../src/storage/Migrator.ts"
import { longText, serial, table } from "../../src/storage/migrations/ddl.ts"
import { type Migration, migrations } from "../../src/storage/migrations/migrations.ts"
import type { Run } from "../../src/storage/rows.ts"
import { mysqlClient, sqliteClient } from "../../src/storage/sql/clients.ts"
import { makeDatabase } from "../../src/storage/sql/Database.ts"
import { makeRuns } from "../../src/storage/sql/Runs.ts"
import { freshDatabase, freshFolder } from "../support/database.ts"
import { done, times } from "./suite/vocabulary.ts"

/** Two servers' connections to one new database. */
const databases = {
  MySQL: Effect.map(freshDatabase, (url) => times(2, () => mysqlClient(Redacted.make(url)))),
  SQLite: Effect.map(freshFolder, (folder) => times(2, () => sqliteClient(join(folder, "colloquy.db"))))
}

const made = (name: string) => table(name, { id: serial, text: longText }, { index: [["id"]] })

const three = (second: Migration["statements"]): ReadonlyArray<Migration> => [
  { id: 1, name: "one", statements: made("one") },
  { id: 2, name: "two", statements: second },
  { id: 3, name: "three", statements: made("three") }
]

const recorded = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return (yield* sql<{ id: number; name: string }>`SELECT id, name FROM schema_migration ORDER BY id`).map(
    ({ id, name }) => `${id} ${name}`
  )
})

/** Whether these tables are there to be written to. The driver keeps a refusal, so each text is new. */
const writable = (...names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* Effect.forEach(names, (name) =>
      sql.unsafe(`INSERT INTO ${name} (text) VALUES ('x') -- ${crypto.randomUUID()}`).pipe(
        Effect.as(true),
        Effect.catchAll(() => Effect.succeed(false))
      )
    )
  })

for (const [name, database] of Object.entries(databases)) {
  describe(`migrations on ${name}`, () => {
    /** A test with one server on a new database. */
    const alone = <A, E>(test: Effect.Effect<A, E, SqlClient.SqlClient | Scope.Scope>) =>
      Effect.flatMap(database, ([first]) => (first === undefined ? Effect.void : Effect.provide(test, first)))

    it.scopedLive("run once, in order, and are recorded", () =>
      alone(
        Effect.gen(function* () {
          expect(yield* migrate(three(made("two")))).toEqual([1, 2, 3])
          expect(yield* recorded).toEqual(["1 one", "2 two", "3 three"])
          expect(yield* migrate(three(made("two")))).toEqual([])
          expect(yield* writable("one", "two", "three")).toEqual([true, true, true])
        })
      )
    )

    it.scopedLive("stop at one that breaks, record those before it, and go on when it is mended", () =>
      alone(
        Effect.gen(function* () {
          const broken = three((dialect) => [...made("two")(dialect), "CREATE TABLE broken (", "SELECT 1"])
          const error = yield* Effect.flip(migrate(broken))
          expect(error).toMatchObject({ _tag: "StorageError", operation: "migration 2 two" })
          expect(yield* recorded).toEqual(["1 one"])
          expect(yield* writable("one", "three")).toEqual([true, false])
          // Still broken: nothing is taken for done.
          expect((yield* Effect.flip(migrate(broken))).operation).toBe("migration 2 two")
          const mended = three((dialect) => [...made("two")(dialect), ...made("also")(dialect)])
          expect(yield* migrate(mended)).toEqual([2, 3])
          expect(yield* recorded).toEqual(["1 one", "2 two", "3 three"])
          expect(yield* writable("one", "two", "also", "three")).toEqual([true, true, true, true])
        })
      )
    )

    it.scopedLive("a later one is added to what is there", () =>
      alone(
        Effect.gen(function* () {
          yield* migrate(three(made("two")).slice(0, 2))
          yield* writable("one")
          expect(yield* migrate(three(made("two")))).toEqual([3])
          const sql = yield* SqlClient.SqlClient
          expect(yield* sql`SELECT text FROM one`).toEqual([{ text: "x" }])
        })
      )
    )

    it.scopedLive("a database of a newer version is left alone", () =>
      alone(
        Effect.gen(function* () {
          yield* migrate(three(made("two")))
          const error = yield* Effect.flip(migrate(three(made("two")).slice(0, 2)))
          expect(error.cause).toMatchObject({
            message: "this database was made by a newer version (migration 3)"
          })
          expect(yield* recorded).toHaveLength(3)
        })
      )
    )

    it.scopedLive("each is run by one of the servers that start together", () =>
      Effect.gen(function* () {
        const servers = yield* Effect.forEach(yield* database, Layer.build)
        // Would fail the second time.
        const once = three((dialect) =>
          made("two")(dialect).map((statement) => statement.replace("IF NOT EXISTS", ""))
        )
        const ran = yield* Effect.all(
          servers.map((server) => Effect.provide(migrate(once), server)),
          { concurrency: "unbounded" }
        )
        expect(ran.flat().toSorted()).toEqual([1, 2, 3])
      })
    )

    it.scopedLive(
      "files and passages from before chats had files are documents of their app, without a place",
      () =>
        alone(
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            yield* migrate(migrations.filter(({ id }) => id < 5))
            const create_time = "2026-01-01 00:00:00.000"
            yield* sql`INSERT INTO file ${sql.insert({
              id: "f",
              flow_id: "a",
              user_id: 1,
              name: "a.txt",
              media_type: "text/plain",
              bytes: 1,
              create_time
            })}`
            yield* sql`INSERT INTO recall_chunk ${sql.insert({
              message_id: 1,
              chunk: "c",
              file_id: "f",
              file_name: "a.txt",
              page: null,
              score: 1,
              create_time
            })}`
            yield* migrate(migrations)
            expect(yield* sql`SELECT id, chat_id, purpose FROM file`).toEqual([
              { id: "f", chat_id: "", purpose: "document" }
            ])
            expect(yield* sql`SELECT chunk, boxes, url FROM recall_chunk`).toEqual([
              { chunk: "c", boxes: null, url: null }
            ])
          })
        )
    )

    it.scopedLive(
      "runs from before there was a queue stay what they were, and wait in the order they came",
      () =>
        alone(
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            yield* migrate(migrations.filter(({ id }) => id < 7))
            const create_time = "2026-01-01 00:00:00.000"
            const runs = [
              { id: "d", status: "done", question_id: 1, start_time: create_time, end_time: create_time },
              { id: "b", status: "queued", question_id: 3, start_time: null, end_time: null },
              { id: "a", status: "queued", question_id: 4, start_time: null, end_time: null },
              { id: "c", status: "running", question_id: 2, start_time: create_time, end_time: null }
            ]
            yield* sql`INSERT INTO message_session ${sql.insert({
              chat_id: "c",
              flow_id: "a",
              flow_type: 5,
              flow_name: "",
              name: "",
              user_id: 1,
              like: 0,
              dislike: 0,
              copied: 0,
              sensitive_status: 0,
              memory_floor: 0,
              opened_by: "d",
              is_delete: 0,
              create_time,
              update_time: create_time
            })}`
            for (const run of runs) {
              yield* sql`INSERT INTO run ${sql.insert({
                chat_id: "c",
                flow_id: "a",
                user_id: 1,
                action: "default",
                owner: "node-1",
                client_msg_id: null,
                partial_text: "",
                partial_reasoning: "",
                error: "",
                prompt_tokens: 0,
                completion_tokens: 0,
                create_time,
                ...run
              })}`
            }
            yield* migrate(migrations)
            const store = makeRuns(yield* makeDatabase)
            const rowOf = (run: Run) => [run.id, run.status, run.owner, run.payload, run.queue_rank]
            expect((yield* store.queue("c")).map(rowOf)).toEqual([
              ["c", "running", "node-1", "", 0],
              ["b", "queued", "node-1", "", 0],
              ["a", "queued", "node-1", "", 0]
            ])
            expect(yield* store.owners).toEqual(["node-1"])
            const ended = Option.getOrThrow(yield* store.get("d"))
            expect(rowOf(ended)).toEqual(["d", "done", "node-1", "", 0])
            expect(ended.end_time).toEqual(new Date("2026-01-01T00:00:00.000Z"))
            yield* store.finish("c", done())
            const next = Option.getOrThrow(yield* store.dequeue("c", "node-2"))
            expect(rowOf(next)).toEqual(["b", "running", "node-2", "", 0])
          })
        )
    )

    it.scopedLive(
      "the real ones can all be run again from the start, as after a crash before the record",
      () =>
        alone(
          Effect.gen(function* () {
            const all = migrations.map(({ id }) => id)
            expect(yield* migrate(migrations)).toEqual(all)
            const sql = yield* SqlClient.SqlClient
            yield* sql`DELETE FROM schema_migration`
            expect(yield* migrate(migrations)).toEqual(all)
          })
        )
    )
  })
}

it("migrations are numbered 1, 2, 3, …", () => {
  expect(migrations.map(({ id }) => id)).toEqual(migrations.map((_, i) => i + 1))
})

/** What only databases can show: what stands in their tables, and what they do when a statement fails. */

import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { it as base, describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { Files } from "../../src/storage/Files.ts"
import { Messages } from "../../src/storage/Messages.ts"
import { Runs } from "../../src/storage/Runs.ts"
import { StorageHealth } from "../../src/storage/StorageHealth.ts"
import { answer, done, freshId, question, round, type Stores, times } from "./suite/vocabulary.ts"

/** The stores, and a second connection to the same new database. */
export type Opened<E> = Effect.Effect<Layer.Layer<Stores | SqlClient.SqlClient, E>, never, Scope>

const passage = (text: string) => ({ text, file_id: "f-1", file_name: "报告.pdf", page: 3, score: 0.25 })

const chunks = (messageId: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      sql`SELECT chunk, file_id, file_name, page, score FROM recall_chunk WHERE message_id = ${messageId} ORDER BY id`
  )

/** Runs the effect while a table is missing. */
const without = <A, E, R>(table: string, effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.acquireUseRelease(
      sql.unsafe(`ALTER TABLE ${table} RENAME TO ${table}_away`),
      () => effect,
      () => Effect.orDie(sql.unsafe(`ALTER TABLE ${table}_away RENAME TO ${table}`))
    )
  )

export const sqlSuite = <E>(name: string, open: Opened<E>) =>
  describe(name, () => {
    layer(Layer.unwrapScoped(open))((it) => {
      it.effect("passages are kept in order under the message they support, and go with it", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const { run } = yield* runs.accept(question())
          const many = times(120, (i) => passage(`passage ${i}`))
          const [first, second] = yield* runs.finish(
            run.id,
            done(
              answer("a", { passages: many }),
              answer("b", { passages: [{ ...passage("c"), page: null }] })
            )
          )
          expect(yield* chunks(first ?? 0)).toEqual(
            many.map(({ text, ...rest }) => ({ chunk: text, ...rest }))
          )
          expect(yield* chunks(second ?? 0)).toEqual([
            { chunk: "c", file_id: "f-1", file_name: "报告.pdf", page: null, score: 0.25 }
          ])
          yield* runs.rollback(run.id)
          expect(yield* chunks(first ?? 0)).toEqual([])
          expect(yield* chunks(second ?? 0)).toEqual([])
        })
      )

      it.effect("an end that cannot be stored whole is not stored at all, and can be tried again", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const messages = yield* Messages
          const { run } = yield* runs.accept(question())
          const ending = done(answer("a"), answer("b", { passages: [passage("p")] }))
          const error = yield* Effect.flip(without("recall_chunk", runs.finish(run.id, ending)))
          expect(error).toMatchObject({ _tag: "StorageError", operation: "runs.finish" })
          expect(yield* runs.get(run.id)).toEqual(Option.some(run))
          const history = () => messages.page({ chatId: run.chat_id, before: null, limit: 10 })
          expect(yield* history()).toHaveLength(1)
          expect(yield* runs.finish(run.id, ending)).toHaveLength(2)
          expect(yield* history()).toHaveLength(3)
        })
      )

      it.effect(
        "a question that cannot be accepted whole leaves no session, no message and no audit row",
        () =>
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            const runs = yield* Runs
            const asked = question()
            const { chatId } = asked.session
            const error = yield* Effect.flip(without("audit_log", runs.accept(asked)))
            expect(error).toMatchObject({ _tag: "StorageError", operation: "runs.accept" })
            expect(yield* sql`SELECT * FROM message_session WHERE chat_id = ${chatId}`).toEqual([])
            expect(yield* sql`SELECT * FROM chat_message WHERE chat_id = ${chatId}`).toEqual([])
            expect(yield* sql`SELECT * FROM run WHERE chat_id = ${chatId}`).toEqual([])
            expect((yield* runs.accept(asked)).fresh).toBe(true)
          })
      )

      it.effect("failures name the operation and keep the database's own words for the log", () =>
        Effect.gen(function* () {
          const files = yield* Files
          const error = yield* Effect.flip(without("file", files.get(freshId())))
          expect(error).toMatchObject({ _tag: "StorageError", operation: "files.get" })
          expect(error.cause).toMatchObject({ _tag: "SqlError", cause: expect.any(Error) })
        })
      )

      it.effect("a row that no reader understands is an error, not a wrong row", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const run = yield* round(freshId(), "why?")
          yield* sql`UPDATE run SET status = 'dreaming' WHERE id = ${run.id}`
          const error = yield* Effect.flip(Effect.flatMap(Runs, (runs) => runs.get(run.id)))
          expect(error).toMatchObject({ operation: "runs.get", cause: { _tag: "ParseError" } })
        })
      )

      it.scoped("an answer is stored in two statements, a question that goes on in four", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const { run } = yield* runs.accept(question())
          const statements: Array<string> = []
          const said = (text: string) => {
            statements.push(text)
            return text
          }
          const connection = yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql.reserve)
          const counting: Connection = {
            execute: (text, ...more) => connection.execute(said(text), ...more),
            executeRaw: (text, ...more) => connection.executeRaw(said(text), ...more),
            executeStream: (text, ...more) => connection.executeStream(said(text), ...more),
            executeValues: (text, ...more) => connection.executeValues(said(text), ...more),
            executeUnprepared: (text, ...more) => connection.executeUnprepared(said(text), ...more)
          }
          const counted = Effect.provideService(SqlClient.TransactionConnection, [counting, 0] as const)
          yield* counted(runs.finish(run.id, done(answer("42"))))
          // With COMMIT three round trips on MySQL. SQLite has none, and one statement more.
          expect(statements.filter((sql) => !sql.startsWith("UPDATE message_session"))).toHaveLength(2)
          statements.length = 0
          yield* counted(runs.accept(question({ session: { chatId: run.chat_id } })))
          expect(statements).toHaveLength(4)
        })
      )
    })

    base.scopedLive("a database that was used before is opened with all it holds", () =>
      Effect.gen(function* () {
        const stores = yield* open
        const run = yield* Effect.provide(round(freshId(), "why?"), stores)
        const kept = yield* Effect.provide(
          Effect.flatMap(Messages, (messages) =>
            messages.page({ chatId: run.chat_id, before: null, limit: 10 })
          ),
          stores
        )
        expect(kept.map(({ message }) => message)).toEqual(["why?!", "why?"])
      })
    )

    base.scopedLive("the probe fails when the database is gone", () =>
      Effect.gen(function* () {
        const stores = yield* open
        const health = yield* Effect.provide(StorageHealth, stores)
        // The layer's scope has ended with the line above, and its connections with it.
        expect(yield* Effect.flip(health.check)).toMatchObject({ _tag: "StorageError", operation: "health" })
      })
    )
  })

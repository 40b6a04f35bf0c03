/**
 * What the SQL stores say to a database: rows decoded as they come, transactions that are tried again when
 * they lost a race, errors under the name of the operation.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import type { Fragment, Statement } from "@effect/sql/Statement"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ParseError } from "effect/ParseResult"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { retried } from "../retried.ts"
import { StorageError } from "../StorageError.ts"
import { Connections } from "./Connections.ts"
import { sqlTime, Written } from "./columns.ts"
import { type Ask, answerTo, askOn, rowsOf } from "./statement.ts"
import { makeTransaction } from "./transaction.ts"

type Refusal = SqlError | ParseError

const isRefusal = (error: unknown): error is Refusal =>
  error instanceof SqlError || error instanceof ParseError

const causeWith = <A>(fields: Schema.Schema<A>) => {
  const is = Schema.is(fields)
  return (error: unknown): A | null => (error instanceof SqlError && is(error.cause) ? error.cause : null)
}
const numbered = causeWith(Schema.Struct({ errno: Schema.Number }))
const coded = causeWith(Schema.Struct({ code: Schema.String }))
const worded = causeWith(Schema.Struct({ message: Schema.String }))

/** MySQL: record changed since it was read, lock wait timeout, deadlock. */
const lostRaces = new Set([1020, 1205, 1213])

/** Another transaction was in the way; the same one may well succeed now. */
const isContention = (error: unknown): boolean =>
  lostRaces.has(numbered(error)?.errno ?? 0) || (coded(error)?.code ?? "").startsWith("SQLITE_BUSY")

/** A row with that key exists. */
export const isDuplicate = (error: unknown): boolean =>
  numbered(error)?.errno === 1062 ||
  ["SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"].includes(coded(error)?.code ?? "")

/** In a crowd somebody wins every round, so the number of tries bounds the crowd, not the luck. */
const tries = Schedule.intersect(
  Schedule.jittered(Schedule.exponential("2 millis", 1.5)),
  Schedule.recurs(16)
)

/** MySQL: a column, a key of that name. */
const isThere = new Set([1060, 1061])

/** The column or the key is there already. SQLite has no number for it. */
export const isAddedBefore = (error: unknown): boolean =>
  isThere.has(numbered(error)?.errno ?? 0) || /^duplicate column name: /.test(worded(error)?.message ?? "")

/** Names the operation in every failure of the database, including those of COMMIT, which come as defects. */
export const during =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E | Refusal, R>) =>
    effect.pipe(
      Effect.catchSomeDefect((defect) =>
        isRefusal(defect) ? Option.some(Effect.fail(defect)) : Option.none()
      ),
      Effect.catchIf(isRefusal, (cause) => Effect.fail(new StorageError({ operation, cause })))
    )

/** What MySQL answers to a statement that writes, told without a schema: that took 150 calls. */
const isHeader = (answer: unknown): answer is { readonly affectedRows: number; readonly insertId: number } =>
  typeof answer === "object" &&
  answer !== null &&
  "affectedRows" in answer &&
  Number.isSafeInteger(answer.affectedRows) &&
  "insertId" in answer &&
  Number.isSafeInteger(answer.insertId)

export const makeDatabase = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const connections = yield* Effect.serviceOption(Connections)
  const scope = yield* Effect.scope
  const transaction = makeTransaction(sql, connections)
  const decodeWritten = Schema.decodeUnknown(Written)
  const walking = (index: string) =>
    sql.onDialectOrElse({
      mysql: (): Fragment => sql.literal(`FORCE INDEX (${index})`),
      orElse: () => sql.literal("")
    })
  return {
    sql,

    /** As long as the stores are open. */
    scope,

    /** The rows that a statement answers, for what every question reads. */
    ask: askOn(Option.map(connections, ({ direct }) => direct)),

    /** Several statements, all or none, tried again when another transaction was in the way. */
    atomic: <A, E, R>(effect: Effect.Effect<A, E | Refusal, R>) =>
      retried(transaction(effect), tries, isContention),

    /** One statement is a transaction of its own. */
    alone: <A, E, R>(effect: Effect.Effect<A, E | Refusal, R>) => retried(effect, tries, isContention),

    /** Runs a writing statement; answers how many rows it touched, and the number of the row it made. */
    write: (statement: Statement<object>) =>
      Effect.flatMap(answerTo(statement), (answer) =>
        isHeader(answer)
          ? Effect.succeed({ changes: answer.affectedRows, id: answer.insertId })
          : decodeWritten(answer)
      ),

    /** Keeps the rows a transaction reads until it ends. SQLite's writers are alone anyway. */
    forUpdate: sql.onDialectOrElse({
      mysql: (): Fragment => sql.literal("FOR UPDATE"),
      orElse: () => sql.literal("")
    }),

    /**
     * Walks a chat's messages by their index. Left to itself, MySQL may walk the whole table backwards
     * instead, in the hope of meeting enough of this chat's messages soon.
     */
    byChat: walking("chat_message_chat_id_id"),

    /** A chat's runs by their index, in the order of their questions: the latest are at its end. */
    byRun: walking("run_chat_id_question_id"),

    /** The same for the index that has a list in its order. */
    walking,

    /** A whole number in the statement's text, where some servers take no parameter. */
    whole: (n: number): Fragment => sql.literal(String(Math.max(0, Math.trunc(n) || 0))),

    /** Part of a column, whatever the case of its letters. */
    contains: (column: string, part: string): Fragment =>
      sql`INSTR(LOWER(${sql(column)}), LOWER(${part})) > 0`
  }
})

export type Database = Effect.Effect.Success<typeof makeDatabase>

export const decodeAll = <A, I>(schema: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(Schema.Array(schema))
  return (statement: Statement<object>, ask: Ask = rowsOf) =>
    Effect.flatMap(ask(statement), (rows) => decode(rows))
}

export const decodeFirst = <A, I>(schema: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(schema)
  return (statement: Statement<object>, ask: Ask = rowsOf): Effect.Effect<Option.Option<A>, Refusal> =>
    Effect.flatMap(ask(statement), (rows) =>
      rows[0] === undefined ? Effect.succeedNone : Effect.asSome(decode(rows[0]))
    )
}

/** Now, as it will be read back, and as it is written. */
export const now = Effect.map(Clock.currentTimeMillis, (ms) => {
  const date = new Date(ms)
  return { date, text: sqlTime(date) }
})

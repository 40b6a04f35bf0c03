/**
 * How statements reach the database. Within a transaction its connection is at hand, and a statement goes to it
 * directly: by itself it would open a span and a scope and look for its connection first, which is five times the
 * work of sending it (a question's sixteen statements took 1,600 of its 3,500 steps).
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type { Statement } from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Answers a statement's rows. */
export type Ask = (statement: Statement<object>) => Effect.Effect<ReadonlyArray<unknown>, SqlError>

/** Within a transaction on its connection; otherwise on `direct`, where there is one. */
export const askOn =
  (direct: Option.Option<Connection>): Ask =>
  (statement) =>
    Effect.contextWithEffect((context: Context.Context<never>) => {
      const transaction = Context.getOption(context, SqlClient.TransactionConnection)
      const connection = Option.isSome(transaction) ? Option.some(transaction.value[0]) : direct
      if (Option.isNone(connection)) return statement
      const [text, parameters] = statement.compile()
      return connection.value.execute(text, parameters, undefined)
    })

export const rowsOf: Ask = askOn(Option.none())

/** What the driver answers to a statement that writes. */
export const answerTo = (statement: Statement<object>): Effect.Effect<unknown, SqlError> =>
  Effect.contextWithEffect((context: Context.Context<never>) => {
    const transaction = Context.getOption(context, SqlClient.TransactionConnection)
    if (Option.isNone(transaction)) return statement.raw
    const [text, parameters] = statement.compile()
    return transaction.value[0].executeRaw(text, parameters)
  })

/** What stands in columns: text, numbers, nothing. */
type Value = string | number | null

/**
 * INSERTs of one table, whose text is made once: a question makes four, and compiling each anew took as long as
 * reading what the database answers.
 */
export const inserting = <const C extends string>(
  sql: SqlClient.SqlClient,
  table: string,
  columns: ReadonlyArray<C>,
  /** What follows the values, and takes `more` of them. */
  otherwise = ""
): ((row: Readonly<Record<C, Value>>, ...more: ReadonlyArray<Value>) => Statement<object>) => {
  const names = columns.map((column) => `\`${column}\``).join(", ")
  const text = `INSERT INTO ${table} (${names}) VALUES (${columns.map(() => "?").join(", ")}) ${otherwise}`
  return (row, ...more) => sql.unsafe(text, [...columns.map((column) => row[column]), ...more])
}

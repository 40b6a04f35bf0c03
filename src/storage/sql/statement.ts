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

/** How many of a kind one statement takes: few sizes, because each is a text of its own that connections keep prepared. */
export const sizes = [32, 16, 8, 4, 2, 1]

/** Cut to such sizes, the largest first. */
export const inSizes = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const parts: Array<ReadonlyArray<A>> = []
  for (let from = 0; from < all.length; ) {
    const size = sizes.find((some) => some <= all.length - from) ?? 1
    parts.push(all.slice(from, from + size))
    from += size
  }
  return parts
}

/** What stands in columns: text, numbers, nothing. */
type Value = string | number | null

/**
 * INSERTs of one table, whose text is made once for each number of rows: a question makes four, and compiling each anew
 * took as long as reading what the database answers.
 */
export const inserting = <const C extends string>(
  sql: SqlClient.SqlClient,
  table: string,
  columns: ReadonlyArray<C>,
  /** What follows the values, and takes `more` of them. */
  otherwise = ""
): ((
  rows: ReadonlyArray<Readonly<Record<C, Value>>>,
  ...more: ReadonlyArray<Value>
) => Statement<object>) => {
  const names = columns.map((column) => `\`${column}\``).join(", ")
  const places = `(${columns.map(() => "?").join(", ")})`
  const texts = new Map<number, string>()
  const textFor = (rows: number): string => {
    const known = texts.get(rows)
    if (known !== undefined) return known
    const text = `INSERT INTO ${table} (${names}) VALUES ${Array(rows).fill(places).join(", ")} ${otherwise}`
    texts.set(rows, text)
    return text
  }
  return (rows, ...more) =>
    sql.unsafe(textFor(rows.length), [
      ...rows.flatMap((row) => columns.map((column) => row[column])),
      ...more
    ])
}

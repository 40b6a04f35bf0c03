/**
 * MySQL's driver as an `SqlClient`, with two kinds of connections:
 *
 * - For statements that are by themselves. A statement of `SqlClient` opens a span and a scope before it is sent, which
 *   is 80 steps of the interpreter; what every question reads goes through `direct`, in six.
 * - For transactions, which begin by themselves there: BEGIN was two of a question's sixteen round trips. Whatever is
 *   said on such a connection belongs to a transaction until COMMIT or ROLLBACK, so nothing else may use it.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { makeCompiler } from "@effect/sql-mysql2/MysqlClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createPool, type Pool, type PoolConnection, type PoolOptions } from "mysql2"
import { Connections } from "./Connections.ts"
import { Unanswered } from "./Unanswered.ts"

/** How long the first connection may take. */
const patience = "5 seconds"

interface Counts {
  readonly readers: number
  readonly writers: number
}

/** `limit`: the longest that a statement may take; those of `SqlClient.reserve` take as long as they need. */
export const mysqlLayer = (
  options: PoolOptions,
  counts: Counts,
  limit: Duration.DurationInput
): Layer.Layer<SqlClient.SqlClient | Connections, SqlError> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const unanswered = yield* Unanswered.make(Duration.decode(limit))
      const plain = yield* pool(options, counts.readers)
      const direct = new Driver(anyOf(plain), unanswered)
      yield* direct.executeUnprepared("SELECT 1").pipe(
        Effect.timeoutFail({
          duration: patience,
          onTimeout: () => new SqlError({ cause: new Error("no connection in time"), message: "connecting" })
        })
      )
      const client = yield* SqlClient.make({
        acquirer: Effect.succeed(direct),
        transactionAcquirer: Effect.map(lent(plain), (connection) => new Driver(only(connection), null)),
        compiler: makeCompiler(),
        spanAttributes: []
      })
      const writer = writers(yield* pool(options, counts.writers), unanswered)
      return Context.make(SqlClient.SqlClient, client).pipe(Context.add(Connections, { direct, writer }))
    })
  ).pipe(Layer.provide(Reactivity.layer))

const pool = (options: PoolOptions, connectionLimit: number) =>
  Effect.acquireRelease(
    // Those that are idle are kept.
    Effect.sync(() => createPool({ ...options, connectionLimit, maxIdle: connectionLimit })),
    (pool) => Effect.async<void>((resume) => pool.end(() => resume(Effect.void)))
  )

const refused = (cause: unknown) => new SqlError({ cause, message: "the database refuses" })

const taken = (pool: Pool) =>
  Effect.async<PoolConnection, SqlError>((resume) => {
    pool.getConnection((cause, connection) =>
      resume(cause === null ? Effect.succeed(connection) : Effect.fail(refused(cause)))
    )
  })

const lent = (pool: Pool) =>
  Effect.acquireRelease(taken(pool), (connection) => Effect.sync(() => connection.release()))

const writers = (pool: Pool, unanswered: Unanswered): Effect.Effect<Connection, SqlError, Scope.Scope> => {
  /** Those that begin transactions by themselves. */
  const prepared = new WeakMap<PoolConnection, Driver>()

  const prepare = (connection: PoolConnection) =>
    Effect.suspend(() => {
      const known = prepared.get(connection)
      if (known !== undefined) return Effect.succeed(known)
      const writer = new Driver(only(connection), unanswered)
      return Effect.map(writer.executeUnprepared("SET autocommit = 0"), () => {
        prepared.set(connection, writer)
        return writer
      })
    })

  return Effect.acquireRelease(taken(pool), (connection) =>
    Effect.sync(() => {
      // What could not be ended must not become a part of the next transaction.
      if (prepared.get(connection)?.isClean === true) connection.release()
      else connection.destroy()
    })
  ).pipe(Effect.flatMap(prepare))
}

/** Where a statement finds its connection. */
interface Line {
  readonly lend: (use: (cause: Error | null, connection: PoolConnection) => void) => void
  readonly giveBack: (connection: PoolConnection) => void
}

const anyOf = (pool: Pool): Line => ({
  lend: (use) => pool.getConnection(use),
  giveBack: (connection) => connection.release()
})

const only = (connection: PoolConnection): Line => ({
  lend: (use) => use(null, connection),
  giveBack: () => undefined
})

type Answer = (cause: Error | null, result: unknown) => void

class Driver implements Connection {
  private readonly line: Line
  private readonly unanswered: Unanswered | null
  /** Nothing has been said since the last transaction was ended. */
  isClean = true

  /** `unanswered`: who gives up what is not answered, if anybody does. */
  constructor(line: Line, unanswered: Unanswered | null) {
    this.line = line
    this.unanswered = unanswered
  }

  execute(sql: string, values: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<unknown>, SqlError> {
    return Effect.async((resume) => {
      this.prepared(sql, values, false, (result) => resume(Effect.map(result, rowsIn)))
    })
  }

  executeRaw(sql: string, values: ReadonlyArray<unknown>): Effect.Effect<unknown, SqlError> {
    return Effect.async((resume) => {
      this.prepared(sql, values, false, resume)
    })
  }

  executeValues(sql: string, values: ReadonlyArray<unknown>) {
    return Effect.async<ReadonlyArray<ReadonlyArray<unknown>>, SqlError>((resume) => {
      this.prepared(sql, values, true, (result) =>
        resume(
          Effect.map(result, (rows) =>
            rowsIn(rows).map((row): ReadonlyArray<unknown> => (Array.isArray(row) ? row : []))
          )
        )
      )
    })
  }

  executeStream(sql: string, values: ReadonlyArray<unknown>) {
    return Stream.fromIterableEffect(this.execute(sql, values))
  }

  /** How transactions are ended, too. */
  executeUnprepared(
    sql: string,
    values: ReadonlyArray<unknown> = []
  ): Effect.Effect<ReadonlyArray<unknown>, SqlError> {
    return Effect.async((resume) => {
      this.isClean = false
      this.send(
        (connection, answer) => connection.query({ sql, values: [...values] }, answer),
        (cause, result) => {
          this.isClean = cause === null
          resume(cause === null ? Effect.succeed(rowsIn(result)) : Effect.fail(refused(cause)))
        }
      )
    })
  }

  private prepared(
    sql: string,
    values: ReadonlyArray<unknown>,
    rowsAsArray: boolean,
    answer: (result: Effect.Effect<unknown, SqlError>) => void
  ): void {
    this.isClean = false
    this.send(
      (connection, answer) => connection.execute({ sql, values: [...values], rowsAsArray }, answer),
      (cause, result) => answer(cause === null ? Effect.succeed(result) : Effect.fail(refused(cause)))
    )
  }

  private send(say: (connection: PoolConnection, answer: Answer) => void, answer: Answer): void {
    this.line.lend((refusal, connection) => {
      if (refusal !== null) {
        answer(refusal, null)
        return
      }
      const answered = this.unanswered?.sent(connection)
      say(connection, (cause, result) => {
        answered?.()
        this.line.giveBack(connection)
        answer(cause, result)
      })
    })
  }
}

const rowsIn = (result: unknown): ReadonlyArray<unknown> => (Array.isArray(result) ? result : [])

/**
 * Connections for transactions alone, which begin by themselves: BEGIN was two of a question's sixteen round trips.
 * Whatever is said on such a connection belongs to a transaction until COMMIT or ROLLBACK, so nothing else may use it.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createPool, type PoolConnection, type PoolOptions } from "mysql2"

export class Writers extends Context.Tag("colloquy/storage/Writers")<
  Writers,
  { readonly reserve: Effect.Effect<Connection, SqlError, Scope.Scope> }
>() {
  static readonly layer = (options: PoolOptions) => Layer.scoped(Writers, make(options))
}

const refused = (message: string) => (cause: unknown) => new SqlError({ cause, message })

const make = (options: PoolOptions) =>
  Effect.gen(function* () {
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => createPool(options)),
      (pool) => Effect.async<void>((resume) => pool.end(() => resume(Effect.void)))
    )
    /** Connections that begin transactions by themselves. */
    const prepared = new WeakMap<PoolConnection, Writer>()

    const acquire = Effect.async<PoolConnection, SqlError>((resume) => {
      pool.getConnection((cause, connection) =>
        resume(
          cause === null
            ? Effect.succeed(connection)
            : Effect.fail(refused("no connection to write on")(cause))
        )
      )
    })

    const prepare = (connection: PoolConnection) =>
      Effect.suspend(() => {
        const known = prepared.get(connection)
        if (known !== undefined) return Effect.succeed(known)
        const writer = new Writer(connection)
        return Effect.map(writer.executeUnprepared("SET autocommit = 0"), () => {
          prepared.set(connection, writer)
          return writer
        })
      })

    return {
      reserve: Effect.acquireRelease(acquire, (connection) =>
        Effect.sync(() => {
          // What could not be ended must not become a part of the next transaction.
          if (prepared.get(connection)?.isClean === true) connection.release()
          else connection.destroy()
        })
      ).pipe(Effect.flatMap(prepare))
    }
  })

class Writer implements Connection {
  private readonly connection: PoolConnection
  /** Nothing has been said since the last transaction was ended. */
  isClean = true

  constructor(connection: PoolConnection) {
    this.connection = connection
  }

  executeRaw(sql: string, values: ReadonlyArray<unknown>): Effect.Effect<unknown, SqlError> {
    return this.run(sql, values, false)
  }

  execute(sql: string, values: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<unknown>, SqlError> {
    return Effect.map(this.executeRaw(sql, values), rowsIn)
  }

  /** How transactions are ended. */
  executeUnprepared(sql: string): Effect.Effect<ReadonlyArray<unknown>, SqlError> {
    return Effect.async((resume) => {
      this.isClean = false
      this.connection.query(sql, (cause, result) => {
        this.isClean = cause === null
        resume(
          cause === null ? Effect.succeed(rowsIn(result)) : Effect.fail(refused("a statement failed")(cause))
        )
      })
    })
  }

  executeValues(sql: string, values: ReadonlyArray<unknown>) {
    return Effect.map(this.run(sql, values, true), (result) =>
      rowsIn(result).map((row): ReadonlyArray<unknown> => (Array.isArray(row) ? row : []))
    )
  }

  executeStream(sql: string, values: ReadonlyArray<unknown>) {
    return Stream.fromIterableEffect(this.execute(sql, values))
  }

  private run(sql: string, values: ReadonlyArray<unknown>, rowsAsArray: boolean) {
    return Effect.async<unknown, SqlError>((resume) => {
      this.isClean = false
      this.connection.execute({ sql, values: [...values], rowsAsArray }, (cause, result) =>
        resume(cause === null ? Effect.succeed(result) : Effect.fail(refused("a statement failed")(cause)))
      )
    })
  }
}

const rowsIn = (result: unknown): ReadonlyArray<unknown> => (Array.isArray(result) ? result : [])

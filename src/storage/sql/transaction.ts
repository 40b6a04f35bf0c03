/**
 * Transactions over one connection. `SqlClient.withTransaction` is not used: it begins deferred on SQLite (a
 * reader that turns writer can then fail at once instead of waiting), keeps the connection when BEGIN fails,
 * leaves a transaction open whose COMMIT failed, and makes a defect of that.
 */

import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Connections } from "./Connections.ts"

/** `connections`: those on which transactions begin by themselves, where there are any. */
export const makeTransaction = (
  sql: SqlClient.SqlClient,
  connections: Option.Option<Context.Tag.Service<Connections>>
) => {
  const begin = sql.onDialectOrElse({ sqlite: () => "BEGIN IMMEDIATE", orElse: () => "BEGIN" })

  const say = (connection: Connection, text: string) => connection.executeUnprepared(text, [], undefined)

  const reserve = Option.match(connections, {
    onNone: () => Effect.tap(sql.reserve, (connection) => say(connection, begin)),
    onSome: ({ writer }) => writer
  })

  // Refused where the database has rolled back by itself, or is gone: then there is nothing to roll back.
  const rollback = (connection: Connection) => Effect.ignore(say(connection, "ROLLBACK"))

  const end = <A, E>(connection: Connection, exit: Exit.Exit<A, E>): Effect.Effect<A, E | SqlError> =>
    Exit.isFailure(exit)
      ? Effect.zipRight(rollback(connection), exit)
      : Effect.zipRight(
          Effect.tapError(say(connection, "COMMIT"), () => rollback(connection)),
          exit
        )

  /** All that the effect says to the database, or nothing. Within a transaction it is part of that one. */
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.contextWithEffect((context: Context.Context<R>) => {
      if (Option.isSome(Context.getOption(context, SqlClient.TransactionConnection))) return effect
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Scope.make(), (scope) =>
          Scope.extend(reserve, scope).pipe(
            Effect.flatMap((connection) =>
              restore(effect).pipe(
                Effect.provide(Context.add(context, SqlClient.TransactionConnection, [connection, 0])),
                Effect.exit,
                Effect.flatMap((exit) => end(connection, exit))
              )
            ),
            Effect.onExit((exit) => Scope.close(scope, exit))
          )
        )
      )
    })
}

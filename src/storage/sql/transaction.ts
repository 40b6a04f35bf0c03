/**
 * Transactions over one connection. `SqlClient.withTransaction` is not used: it begins deferred on SQLite (a
 * reader that turns writer can then fail at once instead of waiting), keeps the connection when BEGIN fails,
 * and leaves a transaction open whose COMMIT failed.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

export const makeTransaction = (sql: SqlClient.SqlClient) => {
  const begin = sql.onDialectOrElse({ sqlite: () => "BEGIN IMMEDIATE", orElse: () => "BEGIN" })
  return SqlClient.makeWithTransaction({
    transactionTag: SqlClient.TransactionConnection,
    spanAttributes: [],
    acquireConnection: Effect.flatMap(Scope.make(), (scope) =>
      Scope.extend(sql.reserve, scope).pipe(
        Effect.tap((connection) => connection.executeUnprepared(begin, [], undefined)),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
        Effect.map((connection) => [scope, connection] as const)
      )
    ),
    begin: () => Effect.void,
    commit: (connection) =>
      connection
        .executeUnprepared("COMMIT", [], undefined)
        .pipe(Effect.tapError(() => Effect.ignore(connection.executeUnprepared("ROLLBACK", [], undefined)))),
    // Refused where the database has rolled back by itself, or is gone: then there is nothing to roll back.
    rollback: (connection) => Effect.ignore(connection.executeUnprepared("ROLLBACK", [], undefined)),
    savepoint: (connection, id) => connection.executeUnprepared(`SAVEPOINT s${id}`, [], undefined),
    rollbackSavepoint: (connection, id) =>
      connection.executeUnprepared(`ROLLBACK TO SAVEPOINT s${id}`, [], undefined)
  })
}

/**
 * Brings a database to the newest form: numbered migrations, forward only, each once, under a lock that
 * other servers wait for. A migration is recorded after its last statement has succeeded, so one that broke
 * midway is run again at the next start; its statements leave alone what they find done.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Dialect } from "./migrations/ddl.ts"
import type { Migration } from "./migrations/migrations.ts"
import { decodeAll, decodeFirst, during, isAddedBefore, now } from "./sql/Database.ts"
import { makeTransaction } from "./sql/transaction.ts"

/** Seconds to wait for another server that migrates. */
const patience = 60

const recordTable =
  "CREATE TABLE IF NOT EXISTS schema_migration " +
  "(id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, applied_time VARCHAR(32) NOT NULL)"

const applied = decodeAll(Schema.Struct({ id: Schema.Int }))
const version = decodeFirst(Schema.Struct({ version: Schema.String }))
const lock = decodeFirst(Schema.Struct({ got: Schema.NullOr(Schema.Number) }))

const nameOf = (migration: Migration) => `migration ${migration.id} ${migration.name}`

/** Answers the numbers of those it ran. */
export const migrate = Effect.fnUntraced(function* (migrations: ReadonlyArray<Migration>) {
  const sql = yield* SqlClient.SqlClient
  const transaction = makeTransaction(sql, Option.none())

  const dialectOf = Effect.map(
    version(sql`SELECT VERSION() AS version`),
    (row): Dialect => (row._tag === "Some" && row.value.version.includes("MariaDB") ? "mariadb" : "mysql")
  )

  const prepare = Effect.gen(function* () {
    yield* sql.unsafe(recordTable)
    const newest = Math.max(0, ...migrations.map((migration) => migration.id))
    const newer = (yield* applied(sql`SELECT id FROM schema_migration WHERE id > ${newest}`)).map(
      (row) => row.id
    )
    if (newer.length > 0) {
      return yield* new SqlError({
        message: `this database was made by a newer version (migration ${newer.join(", ")})`
      })
    }
  })

  /** One migration and its record; answers its number, or nothing where it was applied before. */
  const apply = (migration: Migration, dialect: Dialect) =>
    Effect.gen(function* () {
      const before = yield* applied(sql`SELECT id FROM schema_migration WHERE id = ${migration.id}`)
      if (before.length > 0) return []
      for (const statement of migration.statements(dialect)) {
        yield* Effect.catchIf(sql.unsafe(statement), isAddedBefore, () => Effect.void)
      }
      const { text } = yield* now
      yield* sql`INSERT INTO schema_migration ${sql.insert({ id: migration.id, name: migration.name, applied_time: text })}`
      return [migration.id]
    })

  /** MySQL's lock belongs to a connection, and every definition commits: one connection, no transaction. */
  const onMysql = Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* sql.reserve
      const name = sql`CONCAT('colloquy:', MD5(DATABASE()))`
      return yield* Effect.acquireUseRelease(
        lock(sql`SELECT GET_LOCK(${name}, ${sql.literal(String(patience))}) AS got`).pipe(
          Effect.filterOrFail(
            (row) => row._tag === "Some" && row.value.got === 1,
            () => new SqlError({ message: `another server has been migrating for ${patience} seconds` })
          )
        ),
        () =>
          Effect.gen(function* () {
            yield* prepare
            const dialect = yield* dialectOf
            return yield* Effect.forEach(migrations, (migration) =>
              apply(migration, dialect).pipe(during(nameOf(migration)))
            )
          }),
        () => Effect.ignore(sql`SELECT RELEASE_LOCK(${name})`)
      ).pipe(Effect.provideService(SqlClient.TransactionConnection, [connection, 0]))
    })
  )

  /** SQLite's definitions obey transactions, and a transaction that writes is a lock. */
  const onSqlite = Effect.zipRight(
    transaction(prepare),
    Effect.forEach(migrations, (migration) =>
      transaction(apply(migration, "sqlite")).pipe(during(nameOf(migration)))
    )
  )

  const ran = yield* sql
    .onDialectOrElse({ mysql: () => onMysql, orElse: () => onSqlite })
    .pipe(during("migrate the database"))
  return ran.flat()
})

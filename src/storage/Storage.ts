/**
 * The stores, all of them, over the database that the settings name: MySQL or MariaDB (`mysql://…`), nothing
 * kept (`memory:`), or a SQLite file in the data directory. Every layer passes `test/storage/suite.ts`.
 */
import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Settings } from "../config.ts"
import { Audit } from "./Audit.ts"
import { Files } from "./Files.ts"
import { Flows } from "./Flows.ts"
import { Messages } from "./Messages.ts"
import { migrate } from "./Migrator.ts"
import { Memory } from "./memory/Memory.ts"
import { migrations } from "./migrations/migrations.ts"
import { Recalls } from "./Recalls.ts"
import { Reports } from "./Reports.ts"
import { Runs } from "./Runs.ts"
import { Sessions } from "./Sessions.ts"
import { StorageError } from "./StorageError.ts"
import { StorageHealth } from "./StorageHealth.ts"
import { makeAudit } from "./sql/Audit.ts"
import { mysqlClient, sqliteClient } from "./sql/clients.ts"
import { during, makeDatabase } from "./sql/Database.ts"
import { makeFiles } from "./sql/Files.ts"
import { makeFlows } from "./sql/Flows.ts"
import { makeMessages } from "./sql/Messages.ts"
import { makeRecalls } from "./sql/Recalls.ts"
import { makeReports } from "./sql/Reports.ts"
import { makeRuns } from "./sql/Runs.ts"
import { makeSessions } from "./sql/Sessions.ts"
import { makeUsers } from "./sql/Users.ts"
import { makeVersions } from "./sql/Versions.ts"
import { Users } from "./Users.ts"
import { Versions } from "./Versions.ts"

/** The stores over a connected database, which is brought to its newest form first. */
const Sql = Layer.scopedContext(
  Effect.gen(function* () {
    yield* migrate(migrations)
    const sql = yield* SqlClient.SqlClient
    const database = yield* makeDatabase
    return Context.make(Runs, makeRuns(database)).pipe(
      Context.add(Sessions, makeSessions(database)),
      Context.add(Messages, makeMessages(database)),
      Context.add(Flows, makeFlows(database)),
      Context.add(Versions, makeVersions(database)),
      Context.add(Users, makeUsers(database)),
      Context.add(Audit, makeAudit(database)),
      Context.add(Files, makeFiles(database)),
      Context.add(Recalls, makeRecalls(database)),
      Context.add(Reports, makeReports(database)),
      Context.add(StorageHealth, { check: Effect.asVoid(sql`SELECT 1`).pipe(during("health")) })
    )
  })
)

const Mysql = (url: Redacted.Redacted) => Layer.provide(Sql, mysqlClient(url))

const Sqlite = (filename: string) => Layer.provide(Sql, sqliteClient(filename))

/** A server and a database on it; what else may be said of them is the driver's business. */
const isMysqlUrl = (url: string): boolean =>
  URL.canParse(url) && /^mysql:\/\/[^/]+\/[^/?]+/.test(url) && new URL(url).hostname !== ""

const Live = Layer.unwrapEffect(
  Effect.map(Settings, ({ databaseUrl, dataDir }) =>
    Option.match(databaseUrl, {
      onNone: () => Sqlite(join(dataDir, "colloquy.db")),
      onSome: (url) => {
        if (Redacted.value(url) === "memory:") return Memory
        if (isMysqlUrl(Redacted.value(url))) return Mysql(url)
        return Layer.fail(
          new StorageError({
            operation: "read DATABASE_URL",
            cause: new Error(
              'DATABASE_URL must be "mysql://user:password@host:3306/name", "memory:", or absent'
            )
          })
        )
      }
    })
  )
)

export const Storage = {
  /** As the settings say. */
  Live,
  /** Nothing is kept. */
  Memory,
  /** A file; its folder is made where it is missing. */
  Sqlite,
  /** MySQL 8 or MariaDB 10.11, over a pool of connections. */
  Mysql
}

/** A private MariaDB that a test kills and freezes. What it has acknowledged survives its process. */
import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { mysqlClient } from "../../../src/storage/sql/clients.ts"
import { freshFolder } from "../database.ts"
import { programPath, run } from "./command.ts"
import { type Daemon, daemon } from "./daemon.ts"
import { answers, stablePort } from "./ports.ts"

export interface MariaDb extends Pick<Daemon, "start" | "kill" | "pause" | "resume" | "output" | "pid"> {
  readonly port: number
  /** SIGKILL and a new life at the same port, with all that was committed. */
  readonly restart: Effect.Effect<void, Error>
  /** A new, empty database; answers its address, as DATABASE_URL takes it. */
  readonly freshDatabase: Effect.Effect<string, Error>
}

/** As root it insists on being told so. */
const asUser = process.getuid?.() === 0 ? ["--user=root"] : []

export const mariaDb: Effect.Effect<MariaDb, Error, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* freshFolder
  const data = join(folder, "data")
  yield* run(yield* programPath("mariadb-install-db", "mysql_install_db"), [
    "--no-defaults",
    `--datadir=${data}`,
    ...asUser,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--innodb-log-file-size=8M"
  ])
  const port = yield* stablePort
  const server = yield* daemon({
    name: "MariaDB",
    program: yield* programPath("mariadbd"),
    args: [
      "--no-defaults",
      ...asUser,
      `--datadir=${data}`,
      `--socket=${join(folder, "socket")}`,
      `--pid-file=${join(folder, "pid")}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      "--skip-name-resolve",
      "--innodb-buffer-pool-size=64M",
      "--performance-schema=OFF",
      "--skip-log-bin",
      // Safe from the death of the process, which is what happens here.
      "--innodb-flush-log-at-trx-commit=2"
    ],
    // It greets first.
    ready: answers(port, "")
  })
  const { start, kill, pause, resume, output, pid } = server
  const root = new URL(`mysql://root@127.0.0.1:${port}`)
  return {
    port,
    start,
    kill,
    pause,
    resume,
    output,
    pid,
    restart: Effect.zipRight(kill, start),
    freshDatabase: Effect.gen(function* () {
      const name = `test_${crypto.randomUUID().replaceAll("-", "")}`
      yield* Effect.provide(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`CREATE DATABASE ${name}`)),
        mysqlClient(Redacted.make(root.href))
      )
      return new URL(`/${name}`, root).href
    })
  }
})

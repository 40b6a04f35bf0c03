/** A private MariaDB (or MySQL) with an empty data folder: root without a password, on 127.0.0.1 only. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { freePort, startDaemon, temporaryFolder } from "./daemon.mjs"
import { findProgram } from "./programs.mjs"

export const debianPackage = "mariadb-server"

const server = () => findProgram("mariadbd", "mysqld")

export const isHere = () => server() !== null

/** As root it insists on being told so. */
const asUser = () => (process.getuid?.() === 0 ? ["--user=root"] : [])

const small = ["--innodb-buffer-pool-size=64M", "--performance-schema=OFF", "--skip-log-bin"]

/** Survives the death of the process, which is what tests kill; the machine's own is not tested. */
const quick = ["--innodb-flush-log-at-trx-commit=2"]

const run = (program, args) => {
  const done = spawnSync(program, args, { encoding: "utf8" })
  if (done.status !== 0)
    throw new Error(`${program} failed:\n${done.stdout ?? ""}${done.stderr ?? done.error ?? ""}`)
}

const prepareMariaDb = (data) =>
  run(findProgram("mariadb-install-db", "mysql_install_db") ?? "mariadb-install-db", [
    "--no-defaults",
    `--datadir=${data}`,
    ...asUser(),
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--innodb-log-file-size=8M"
  ])

const prepareMysql = (program, data) =>
  run(program, ["--no-defaults", "--initialize-insecure", `--datadir=${data}`, ...asUser()])

const madeByMariaDb = (program) =>
  spawnSync(program, ["--version"], { encoding: "utf8" }).stdout.includes("MariaDB")

/** Whether what is here is MariaDB. */
export const isMariaDb = () => isHere() && madeByMariaDb(server())

/**
 * Answers its address without a database, and how to stop it.
 * @param {Array<string>} settings more of them, which win over those that tests have
 */
export const start = async (settings = []) => {
  const program = server()
  const isMariaDb = madeByMariaDb(program)
  const folder = temporaryFolder("mariadb")
  const data = join(folder.path, "data")
  try {
    if (isMariaDb) prepareMariaDb(data)
    else prepareMysql(program, data)
  } catch (error) {
    folder.remove()
    throw error
  }
  const port = await freePort()
  const daemon = await startDaemon({
    name: "MariaDB",
    program,
    args: [
      "--no-defaults",
      ...asUser(),
      `--datadir=${data}`,
      `--socket=${join(folder.path, "socket")}`,
      `--pid-file=${join(folder.path, "pid")}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      ...(isMariaDb ? ["--skip-name-resolve"] : ["--mysqlx=OFF"]),
      ...small,
      ...quick,
      ...settings
    ],
    port,
    // It greets first.
    hello: "",
    folder
  })
  return { url: `mysql://root@127.0.0.1:${port}`, ...daemon }
}

/** A MariaDB of the history case's own: its buffer pool holds the data, so that what is measured is not the disk. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { temporaryFolder } from "../../scripts/services/daemon.mjs"
import * as mariadb from "../../scripts/services/mariadb.mjs"
import { analysed } from "./analysed.mjs"
import { ofPage } from "./ofPage.mjs"

const hex8 = (n) => `LPAD(LOWER(HEX(${n})), 8, '0')`

const dialect = {
  numbers: (from, to) => `(SELECT seq AS i FROM seq_${from}_to_${to}) AS counted`,
  half: (n) => `(${n}) DIV 2`,
  whole: (n) => `CAST(FLOOR(${n}) AS INTEGER)`,
  chatId: (chat, scattered) => `CONCAT(${hex8(scattered)}, '-0000-4000-8000-', LPAD(${chat}, 12, '0'))`,
  digits: (n, scattered) => `CONCAT(${hex8(scattered)}, LPAD(${n}, 24, '0'))`,
  moment: (seconds) => `DATE_ADD('2026-01-01 00:00:00.000', INTERVAL ${seconds} SECOND)`
}

/** What a message takes with its indexes, its pages being three quarters full. */
const bytesOfMessage = 900

const settings = (messages) => [
  `--innodb-buffer-pool-size=${Math.ceil(256 + (messages * bytesOfMessage) / 2 ** 20)}M`,
  "--innodb-log-file-size=1G",
  "--innodb-flush-log-at-trx-commit=0",
  "--innodb-doublewrite=0",
  // What a page makes the server say is read from there.
  "--log-output=TABLE"
]

const talkTo = (url) => {
  const runtime = ManagedRuntime.make(MysqlClient.layer({ url: Redacted.make(url), maxConnections: 1 }))
  return {
    run: (statement) =>
      runtime.runPromise(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement).unprepared)),
    end: () => runtime.dispose()
  }
}

export const isHere = mariadb.isMariaDb

/** @param {number} messages how many it will hold */
export const start = async (messages) => {
  const daemon = await mariadb.start(settings(messages))
  const root = talkTo(`${daemon.url}/mysql`)
  return {
    name: "mariadb",
    dialect,
    pid: daemon.pid,
    fresh: async () => {
      const name = `history_${crypto.randomUUID().replaceAll("-", "")}`
      await root.run(`CREATE DATABASE ${name}`)
      const url = `${daemon.url}/${name}`
      const own = talkTo(url)
      const folder = temporaryFolder("history")
      return {
        dataDir: folder.path,
        url,
        fill: async (statements) => {
          for (const statement of statements) await own.run(statement)
          await own.run("ANALYZE TABLE message_session, chat_message")
        },
        /** The general log has the values of statements that were prepared while it was kept. */
        listening: (on) => root.run(`SET GLOBAL general_log = ${on ? "ON" : "OFF"}`),
        plans: async (_, ask) => {
          // A statement of this connection itself is logged as a query.
          await root.run("TRUNCATE general_log")
          await ask()
          const said = await root.run(
            "SELECT CONVERT(argument USING utf8mb4) AS statement FROM general_log WHERE command_type = 'Execute' ORDER BY event_time, CONVERT(argument USING utf8mb4)"
          )
          const plans = []
          for (const statement of ofPage(said.map(({ statement }) => statement))) {
            const [row] = await own.run(`ANALYZE FORMAT=JSON ${statement}`)
            plans.push({ statement, steps: analysed(JSON.parse(row.ANALYZE)) })
          }
          return plans
        },
        /** By everybody so far: index and table reads of the storage engine. */
        rowsRead: async () => {
          const counted = await root.run("SHOW GLOBAL STATUS LIKE 'Handler_read%'")
          return counted.reduce((sum, { Value }) => sum + Number(Value), 0)
        },
        drop: async () => {
          await own.end()
          folder.remove()
        }
      }
    },
    stop: async () => {
      await root.end()
      await daemon.stop()
    }
  }
}

/** SQLite for the history case, by the driver that the server uses. */
import { createRequire } from "node:module"
import { join } from "node:path"
import { temporaryFolder } from "../../scripts/services/daemon.mjs"
import { ofPage } from "./ofPage.mjs"

const driver = createRequire(import.meta.resolve("@effect/sql-sqlite-node"))
const Database = driver("better-sqlite3")

const dialect = {
  numbers: (from, to) =>
    `(WITH RECURSIVE counted (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM counted WHERE i < ${to}) SELECT i FROM counted)`,
  half: (n) => `(${n}) / 2`,
  whole: (n) => `CAST(${n} AS INTEGER)`,
  chatId: (chat, scattered) => `printf('%08x-0000-4000-8000-%012d', ${scattered}, ${chat})`,
  digits: (n, scattered) => `printf('%08x%024d', ${scattered}, ${n})`,
  moment: (seconds) =>
    `strftime('%Y-%m-%d %H:%M:%S', '2026-01-01', '+' || ${seconds} || ' seconds') || '.000'`
}

export const start = async () => ({
  name: "sqlite",
  dialect,
  /** A new database: the server's settings for it, and how to fill and to question it. */
  fresh: async () => {
    const folder = temporaryFolder("history")
    const opened = (work) => {
      const database = new Database(join(folder.path, "colloquy.db"))
      try {
        return work(database)
      } finally {
        database.close()
      }
    }
    return {
      dataDir: folder.path,
      url: "",
      /** @param {Iterable<string>} statements */
      fill: async (statements) =>
        opened((database) => {
          database.pragma("synchronous = OFF")
          database.pragma("cache_size = -1000000")
          for (const statement of statements) database.exec(statement)
        }),
      listening: async () => undefined,
      /** What a page makes the server say, and how it is done. @param {import("./serve.mjs").Asked} server */
      plans: async (server, ask) => {
        await server.process.request("forget")
        await ask()
        const { said } = await server.process.request("said")
        return opened((database) =>
          ofPage(said).map((statement) => ({
            statement,
            steps: database
              .prepare(`EXPLAIN QUERY PLAN ${statement}`)
              .all(...Array.from(statement.matchAll(/\?/g), () => null))
              .map(({ detail }) => detail)
          }))
        )
      },
      /** Not counted by this database. */
      rowsRead: async () => null,
      drop: async () => folder.remove()
    }
  },
  stop: async () => undefined
})

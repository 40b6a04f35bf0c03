/**
 * Loaded into a server on SQLite before its own program: keeps the text of each statement that it runs, and tells
 * the benchmark when asked.
 */
import { createRequire } from "node:module"

const driver = createRequire(import.meta.resolve("@effect/sql-sqlite-node"))
const { prototype } = driver("better-sqlite3")
const { prepare } = prototype
/** null: nobody has asked for it. */
let said = null

prototype.prepare = function (text) {
  const statement = prepare.call(this, text)
  const { all } = statement
  if (statement.reader) {
    statement.all = (...values) => {
      said?.push(text)
      return all.apply(statement, values)
    }
  }
  return statement
}

process.on("message", (message) => {
  if (message === "forget") {
    said = []
    process.send?.({ said })
  }
  if (message === "said") process.send?.({ said })
})

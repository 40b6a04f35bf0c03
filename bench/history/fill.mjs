/** A database as it would be after years: made by the server's own migrations, then filled. */
import { serve } from "./serve.mjs"
import { shapeOf, statementsFor } from "./shape.mjs"

/** Rows of one statement. */
const atOnce = 100_000

const parts = function* (rows, statement) {
  for (let from = 1; from <= rows; from += atOnce) yield statement(from, Math.min(rows, from + atOnce - 1))
}

/**
 * @param {{ dialect: object, fresh: () => Promise<object> }} kind @param {number} messages
 * @param {(line: string) => void} log
 */
export const filled = async (kind, messages, log) => {
  const began = Date.now()
  const shape = shapeOf(messages)
  const database = await kind.fresh()
  // Migrates, and goes.
  await (await serve(database)).stop()
  const { sessions, rounds } = statementsFor(kind.dialect, shape)
  await database.fill(
    (function* () {
      yield sessions(0, 0)
      yield* parts(shape.chats - 1, sessions)
      yield* parts(messages, rounds)
    })()
  )
  const took = ((Date.now() - began) / 1000).toFixed(0)
  log(`  ${kind.name.padEnd(8)} ${messages.toLocaleString("en")} messages in ${took} s`)
  return { shape, database }
}

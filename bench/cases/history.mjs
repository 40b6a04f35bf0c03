/**
 * Pages of history and of the list of chats, of a database with very many messages and of one with 10,000 (in the
 * column of the floor), asked in turns over HTTP. Shown besides: the statements that a page makes the server say,
 * how the database carries them out, and how many rows it reads for a page.
 */
import { now } from "../clock.mjs"
import { filled } from "../history/fill.mjs"
import * as mariadb from "../history/mariadb.mjs"
import { pageSize, pages } from "../history/pages.mjs"
import { serve } from "../history/serve.mjs"
import * as sqlite from "../history/sqlite.mjs"
import { percentile } from "../statistics.mjs"

const fewMessages = 10_000
/** A file that one process writes is not where ten million messages are kept. */
const mostOnSqlite = 1_000_000
const warmUp = 100
const pagesOfRound = 400
/** Pages that rows read are counted over. */
const counted = 100

/** Without the end of long values and of long lists of them. @param {string} statement */
const shortened = (statement) =>
  statement
    .replaceAll(/'([^']*)'/g, (whole, value) => (value.length > 24 ? `'${value.slice(0, 12)}…'` : whole))
    .replaceAll(/ IN \(([^,()]+),([^,()]+),[^()]+\)/g, (whole, one, other) =>
      whole.length > 60 ? ` IN (${one}, ${other}, …)` : whole
    )

const open = async (kind, messages, log) => {
  const { shape, database } = await filled(kind, messages, log)
  const server = await serve(database)
  return {
    shape,
    database,
    server,
    close: async () => {
      await server.stop()
      await database.drop()
    }
  }
}

/** In turns, so that whatever else happens on the machine happens to both. */
const measure = async (pair, page, samples) => {
  const times = pair.map(() => [])
  for (let i = 0; i < samples; i++) {
    for (const [at, { server, shape }] of pair.entries()) {
      const asked = page(shape)
      const began = now()
      await server.ask(asked)
      times[at].push(now() - began)
    }
  }
  return times
}

const rowsOfPage = async ({ server, shape, database }, page) => {
  const before = await database.rowsRead()
  if (before === null) return null
  let shown = 0
  for (let i = 0; i < counted; i++) shown += await server.ask(page(shape))
  return { read: ((await database.rowsRead()) - before) / counted, shown: shown / counted }
}

/** By a server of its own, as it takes a log that would slow the measured one. */
const explain = async ({ shape, database }, log) => {
  await database.listening(true)
  const server = await serve(database)
  for (const [name, page] of Object.entries(pages)) {
    log(`  ${name}:`)
    const plans = await database.plans(server, () => server.ask(page(shape)))
    for (const { statement, steps } of plans) {
      log(`    ${shortened(statement)}`)
      for (const step of steps) log(`      ${step}`)
    }
  }
  await server.stop()
  await database.listening(false)
}

const compare = async (kind, messages, { rounds, log, report }) => {
  const few = await open(kind, fewMessages, log)
  const many = await open(kind, messages, log)
  const pair = [many, few]
  for (const [name, page] of Object.entries(pages)) {
    await measure(pair, page, warmUp)
    const times = pair.map(() => [])
    for (let round = 0; round < rounds; round++) {
      const measured = await measure(pair, page, pagesOfRound)
      for (const [at, some] of measured.entries()) times[at].push(...some)
    }
    const inMs = (at, p) => percentile(times[at], p) / 1000
    for (const [called, p] of [
      ["p50", 0.5],
      ["p99", 0.99]
    ]) {
      const common = { name: `${name} ${called}`, class: kind.name, concurrency: messages, unit: "ms" }
      report({ ...common, ours: inMs(0, p), floor: inMs(1, p) })
    }
    const rows = await rowsOfPage(many, page)
    const told = rows === null ? "" : `, ${rows.read.toFixed(0)} rows read for ${rows.shown.toFixed(0)} shown`
    log(
      `  ${name.padEnd(28)} p99 ${inMs(0, 0.99).toFixed(1)} ms, of few ${inMs(1, 0.99).toFixed(1)} ms${told}`
    )
  }
  await explain(many, log)
  await many.close()
  await few.close()
}

export const history = {
  name: "history",
  description: `pages of ${pageSize} messages or chats, of a long history and of a short one`,
  servers: [],

  /** @param {import("../run.mjs").Bench} bench */
  async run(bench) {
    const { messages, rounds, log } = bench
    log(`history: pages of ${pageSize}, ${messages.toLocaleString("en")} messages, ${rounds} rounds`)
    if (mariadb.isHere()) {
      const kind = await mariadb.start(fewMessages + messages)
      await compare(kind, messages, bench)
      await kind.stop()
    } else log("  no MariaDB here")
    await compare(await sqlite.start(), Math.min(messages, mostOnSqlite), bench)
  }
}

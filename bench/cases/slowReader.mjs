/**
 * What one client that reads 1 KB a second does to a thousand others: their latencies with it and without it, in turns.
 * What the server keeps for it is a test's affair (test/gateway/slowReader.test.ts).
 */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { start } from "../processes.mjs"
import { percentile } from "../statistics.mjs"
import { steadyRound } from "../steady.mjs"
import { Trust } from "../Trust.mjs"

const here = dirname(fileURLToPath(import.meta.url))

const crowd = { concurrency: 1_000, tokens: 50, delay: 200, slack: 500, windowMs: 10_000 }
/** More than the window is long, at far more than it reads. */
const question = "tokens=20000 delay=1 id=slow"

const p99 = (samples) => percentile(samples, 0.99) / 1000

export const slowReader = {
  name: "slow-reader",
  description: `${crowd.concurrency} clients, with and without one more that reads 1 KB a second`,
  servers: ["memory"],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ servers, load, rounds, log, report }) {
    const server = servers.find(({ name }) => name === "memory")
    log(`slow reader: ${crowd.concurrency} clients, ${rounds} rounds with it and without`)
    const reader = await start({
      name: "slow reader",
      program: join(here, "..", "slowReader.mjs"),
      ready: /ready/
    })
    const trust = new Trust()
    const seen = { with: [], without: [] }
    for (let round = 0; round < rounds; round++) {
      for (const how of /** @type {const} */ (["without", "with"])) {
        if (how === "with") {
          await reader.request({ do: "start", target: server.target, question })
        }
        const result = await steadyRound(load, server, crowd)
        if (how === "with") {
          const { taken, isConnected } = await reader.request({ do: "stop" })
          if (!isConnected) trust.doubt("the slow reader was disconnected")
          log(`  the slow reader took ${taken} bytes`)
        }
        trust.add(result.measured)
        if (result.behind) trust.doubt(result.behind)
        seen[how].push(...result.firstToken, ...result.closeTail)
        log(`  ${how.padEnd(8)} p99 ${p99([...result.firstToken, ...result.closeTail]).toFixed(2)} ms`)
      }
    }
    await reader.stop()
    const common = { class: "memory", concurrency: crowd.concurrency, ...trust.verdict }
    report({
      ...common,
      name: "others' p99 beside a slow reader",
      unit: "ms",
      ours: p99(seen.with),
      floor: p99(seen.without)
    })
  }
}

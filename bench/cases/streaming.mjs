/** What a streamed token costs: steady load of answers of 200 tokens, at 1, 100 and 500 at a time. */
import { percentile } from "../statistics.mjs"
import { collapse, describe, steadyRound } from "../steady.mjs"
import { Trust } from "../Trust.mjs"

const tokens = 200
const slack = 200

/**
 * The pace is chosen so that two cores carry server, upstream and clients without any of them saturating.
 * `servers`: which of ours are measured; the first is measured at every level.
 */
const levels = [
  { concurrency: 1, delay: 5, windowMs: 4_000, servers: ["memory"] },
  { concurrency: 100, delay: 20, windowMs: 4_000, servers: ["memory", "sqlite", "durable"] },
  { concurrency: 500, delay: 40, windowMs: 6_000, servers: ["memory"] }
]

export const streaming = {
  name: "streaming",
  description: `answers of ${tokens} tokens, steady load`,
  servers: ["memory", "sqlite", "durable"],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ servers, load, rounds, log, report }) {
    for (const level of levels) {
      const { concurrency, delay } = level
      const chosen = servers.filter(({ name }) => name === "floor" || level.servers.includes(name))
      log(`streaming: ${concurrency} at a time, ${tokens} tokens, one every ${delay} ms, ${rounds} rounds`)
      const seen = new Map(chosen.map(({ name }) => [name, []]))
      const trust = new Trust()
      for (let round = 0; round < rounds; round++) {
        for (const server of chosen) {
          const result = await steadyRound(load, server, { ...level, tokens, slack })
          seen.get(server.name).push(result)
          trust.add(result.measured)
          if (result.behind) trust.doubt(`${server.name}: ${result.behind}`)
          log(describe(server.name, result))
        }
      }
      const floor = collapse(seen.get("floor"))
      for (const { name } of chosen) {
        if (name === "floor") continue
        const mine = collapse(seen.get(name))
        const add = (what, unit, ours, bare, more = {}) =>
          report({
            name: `streaming ${what}`,
            class: name,
            concurrency,
            unit,
            ours,
            floor: bare,
            ...trust.verdict,
            ...more
          })
        add("CPU", "µs/token", mine.cpuPerToken, floor.cpuPerToken, { gate: concurrency > 1 })
        add("CPU", "µs/frame", mine.cpuPerFrame, floor.cpuPerFrame)
        add("delivered", "frames/s", mine.framesPerSecond, floor.framesPerSecond, { better: "higher" })
        add("one core could", "tokens/s", 1e6 / mine.cpuPerToken, 1e6 / floor.cpuPerToken, {
          better: "higher"
        })
        add("bytes", "bytes/token", mine.bytesPerToken, floor.bytesPerToken)
        for (const [p, of] of [
          ["p50", 0.5],
          ["p99", 0.99]
        ]) {
          const ms = (samples) => percentile(samples, of) / 1000
          add(`first token added ${p}`, "ms", ms(mine.firstToken), ms(floor.firstToken))
          add(`last token to close ${p}`, "ms", ms(mine.closeTail), ms(floor.closeTail))
        }
      }
    }
  }
}

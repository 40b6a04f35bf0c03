/**
 * What a streamed token costs: steady load of answers of 200 tokens, and once of 1,000, where what a run costs is less of
 * it. At ease the pace is one that two cores carry without anybody saturating; in a burst the upstream writes more than any
 * server here can pass on one frame a token, and what counts is what a token costs then.
 */
import { percentile } from "../statistics.mjs"
import { collapse, describe, steadyRound } from "../steady.mjs"
import { Trust } from "../Trust.mjs"

const usual = 200
const slack = 200
const ours = ["memory", "sqlite", "durable"]

/**
 * `servers`: which of ours are measured; `delay`: milliseconds from token to token of one answer; `label`: what tells a
 * level from others of as many answers; `tokens`: of an answer, where they are not as usual.
 */
const levels = [
  { concurrency: 1, delay: 5, windowMs: 4_000, servers: ["memory", "durable"] },
  { concurrency: 100, delay: 20, windowMs: 4_000, servers: ours },
  {
    concurrency: 100,
    delay: 20,
    windowMs: 4_000,
    servers: ["memory", "durable"],
    tokens: 1_000,
    label: "long "
  },
  { concurrency: 500, delay: 40, windowMs: 6_000, servers: ["memory", "durable"] },
  // Models of today: two tokens come while the longest window is open.
  { concurrency: 500, delay: 20, windowMs: 6_000, servers: ["memory"], label: "fast " },
  { concurrency: 500, delay: 10, windowMs: 8_000, servers: ["memory", "durable"], burst: true },
  { concurrency: 2_000, delay: 40, windowMs: 12_000, servers: ["memory", "durable"], burst: true }
]

/** Latencies of a burst are those of a queue, and its frames a second those of the machine; of long answers few begin or end. */
const figures = (round) => [
  ["CPU", "µs/token", round.cpuPerToken],
  ["one core could", "tokens/s", 1e6 / round.cpuPerToken, "higher"],
  ["frames", "frames/token", round.framesPerToken],
  ["bytes", "bytes/token", round.bytesPerToken]
]

const latencies = (round) =>
  [
    ["p50", 0.5],
    ["p99", 0.99]
  ].flatMap(([p, of]) => [
    [`first token added ${p}`, "ms", percentile(round.firstToken, of) / 1000],
    [`last token to close ${p}`, "ms", percentile(round.closeTail, of) / 1000],
    [`last token's frame to close ${p}`, "ms", percentile(round.closeGap, of) / 1000]
  ])

export const streaming = {
  name: "streaming",
  description: `answers of ${usual} tokens, steady load`,
  servers: [...ours, "corked"],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ servers, load, rounds, log, report }) {
    for (const level of levels) {
      const { concurrency, delay, tokens = usual, burst = false, label = burst ? "burst " : "" } = level
      const measured = ["floor", "corked", ...level.servers]
      const chosen = servers.filter(({ name }) => measured.includes(name))
      const how = burst ? "a burst of " : ""
      log(
        `streaming: ${how}${concurrency} at a time, ${tokens} tokens, one every ${delay} ms, ${rounds} rounds`
      )
      const seen = new Map(chosen.map(({ name }) => [name, []]))
      const trust = new Map(chosen.map(({ name }) => [name, new Trust()]))
      for (let round = 0; round < rounds; round++) {
        for (const server of chosen) {
          const result = await steadyRound(load, server, { ...level, tokens, slack })
          seen.get(server.name).push(result)
          trust.get(server.name).add(result.measured)
          if (result.behind && !burst) trust.get(server.name).doubt(`${server.name}: ${result.behind}`)
          log(describe(server.name, result))
        }
      }
      const told = (round) =>
        burst || tokens !== usual ? figures(round) : [...figures(round), ...latencies(round)]
      const floor = told(collapse(seen.get("floor")))
      const corked = told(collapse(seen.get("corked")))
      for (const { name } of chosen.filter(({ name }) => level.servers.includes(name))) {
        const { verdict } = Trust.ofAll([name, "floor", "corked"].map((one) => trust.get(one)))
        told(collapse(seen.get(name))).forEach(([what, unit, value, better = "lower"], i) => {
          report({
            name: `streaming ${label}${what}`,
            class: name,
            concurrency,
            unit,
            ours: value,
            floor: floor[i][2],
            peers: { "ws corked": corked[i][2] },
            better,
            gate: what === "CPU" && concurrency > 1,
            ...verdict
          })
        })
      }
    }
  }
}

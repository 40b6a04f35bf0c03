/** What a streamed token costs: steady load of answers of 200 tokens, at 1, 100 and 500 at a time. */
import { median, percentile, sum } from "../statistics.mjs"
import { Trust } from "../Trust.mjs"

const tokens = 200
/** Answers that may take longer than their tokens' pace; with more of them the load is not the one it claims to be. */
const maxLate = 0.02

/**
 * The pace is chosen so that two cores carry server, upstream and clients without any of them saturating.
 * `servers`: which of ours are measured; the first is measured at every level.
 */
const levels = [
  { concurrency: 1, delay: 5, windowMs: 4_000, servers: ["memory"] },
  { concurrency: 100, delay: 20, windowMs: 4_000, servers: ["memory", "sqlite", "durable"] },
  { concurrency: 500, delay: 40, windowMs: 6_000, servers: ["memory"] }
]

/** Milliseconds over which the first answers begin: a crowd that comes at once is another case than this. */
const rampOf = (concurrency) => Math.max(500, 4 * concurrency)

const collapse = (rounds) => {
  const all = (pick) => rounds.map(pick)
  return {
    cpuPerToken: median(all((round) => round.cpuPerToken)),
    cpuPerFrame: median(all((round) => round.cpuPerFrame)),
    framesPerSecond: median(all((round) => round.framesPerSecond)),
    bytesPerToken: median(all((round) => round.bytesPerToken)),
    share: median(all((round) => round.share)),
    firstToken: rounds.flatMap((round) => round.firstToken),
    closeTail: rounds.flatMap((round) => round.closeTail)
  }
}

export const streaming = {
  name: "streaming",
  description: `answers of ${tokens} tokens, steady load`,
  servers: ["memory", "sqlite", "durable"],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ servers, load, rounds, log, report }) {
    for (const level of levels) {
      const { concurrency, delay, windowMs } = level
      const chosen = servers.filter(({ name }) => name === "floor" || level.servers.includes(name))
      log(`streaming: ${concurrency} at a time, ${tokens} tokens, one every ${delay} ms, ${rounds} rounds`)
      const seen = new Map(chosen.map(({ name }) => [name, []]))
      const trust = new Trust()
      for (let round = 0; round < rounds; round++) {
        for (const server of chosen) {
          const measured = await load.withClients(server, concurrency, (generators) =>
            load.measure(server, generators, {
              do: "stream",
              tokens,
              delay,
              slack: 200,
              ramp: rampOf(concurrency),
              leadMs: rampOf(concurrency) + 500,
              windowMs
            })
          )
          const { answers, seconds, serverCpuMicros } = measured
          const delivered = sum(answers.map((answer) => answer.tokens))
          const frames = sum(answers.map((answer) => answer.frames))
          const late = sum(answers.map((answer) => answer.late))
          const asked = sum(answers.map((answer) => answer.asked))
          seen.get(server.name).push({
            cpuPerToken: serverCpuMicros / delivered,
            cpuPerFrame: serverCpuMicros / frames,
            framesPerSecond: frames / seconds,
            bytesPerToken: sum(answers.map((answer) => answer.bytes)) / delivered,
            share: measured.serverShare,
            firstToken: answers.flatMap((answer) => answer.firstToken),
            closeTail: answers.flatMap((answer) => answer.closeTail)
          })
          trust.add(measured)
          if (late > asked * maxLate) {
            trust.doubt(`${server.name} had not finished ${late} of ${asked} answers when the next was due`)
          }
          log(
            `  ${server.name.padEnd(8)} ${(serverCpuMicros / delivered).toFixed(1).padStart(6)} µs/token` +
              `, server ${Math.round(measured.serverShare * 100)} % of a core` +
              `, upstream ${Math.round(measured.upstreamShare * 100)} %` +
              `, clients ${Math.round(measured.generatorShare * 100)} %, late ${measured.lagMillis.toFixed(0)} ms` +
              `, others ${Math.round(measured.strangers * 100)} %`
          )
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

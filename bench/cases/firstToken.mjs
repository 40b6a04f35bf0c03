/**
 * What the server adds to the first token: from the question leaving the client to the token's frame arriving
 * there, less the time the upstream held it. Short answers, asked at random moments.
 */
import { percentile, sum } from "../statistics.mjs"
import { Trust } from "../Trust.mjs"

const load = { clients: 100, rate: 100, tokens: 10, delay: 20, windowMs: 4_000 }

export const firstToken = {
  name: "first-token",
  description: `${load.rate} questions a second at random moments, answers of ${load.tokens} tokens`,
  servers: ["memory", "sqlite", "durable", "pair"],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ servers, load: generators, rounds, log, report }) {
    const { clients, rate, tokens, delay, windowMs } = load
    log(`first token: ${rate} questions a second at ${clients} clients, ${rounds} rounds`)
    const seen = new Map(servers.map(({ name }) => [name, []]))
    const trust = new Trust()
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) {
        const measured = await generators.withClients(server, clients, (used) =>
          generators.measure(server, used, { do: "arrive", tokens, delay, rate, leadMs: 300, windowMs })
        )
        const samples = measured.answers.flatMap((answer) => answer.firstToken)
        const late = sum(measured.answers.map((answer) => answer.late))
        seen.get(server.name).push(...samples)
        trust.add(measured)
        if (late > 0) trust.doubt(`${late} questions found no idle client`)
        log(
          `  ${server.name.padEnd(8)} p50 ${(percentile(samples, 0.5) / 1000).toFixed(2)} ms, ` +
            `p99 ${(percentile(samples, 0.99) / 1000).toFixed(2)} ms of ${samples.length}` +
            `, server ${Math.round(measured.serverShare * 100)} % of a core`
        )
      }
    }
    for (const { name } of servers) {
      if (name === "floor") continue
      for (const [p, of] of [
        ["p50", 0.5],
        ["p99", 0.99]
      ]) {
        report({
          name: `first token added ${p}`,
          class: name,
          concurrency: clients,
          unit: "ms",
          ours: percentile(seen.get(name), of) / 1000,
          floor: percentile(seen.get("floor"), of) / 1000,
          ...trust.verdict
        })
      }
    }
  }
}

/**
 * How fast a stop is: from `{action:"stop"}` leaving the client until `close` arrives there, and until the
 * upstream has lost the connection of that answer's request. Clients stop in mid-answer, at random moments, while
 * others are answered in peace. Of two nodes one is asked and the other one is told to stop.
 */
import { percentile } from "../statistics.mjs"
import { Trust } from "../Trust.mjs"

const load = {
  beside: 500,
  stopping: 12,
  tokens: 200,
  delay: 100,
  earliest: 300,
  latest: 1_300,
  windowMs: 15_000
}

export const stop = {
  name: "stop",
  description: `${load.stopping} answers, each stopped after ${load.earliest} to ${load.latest} ms, beside ${load.beside} others`,
  servers: ["memory", "sqlite", "durable", "pair"],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ servers, load: generators, rounds, log, report }) {
    const { stopping, windowMs, ...how } = load
    const clients = stopping + load.beside
    log(`stop: ${clients} answers in progress, ${stopping} of them to be stopped, ${rounds} rounds`)
    const seen = new Map(servers.map(({ name }) => [name, { close: [], upstream: [] }]))
    const trust = new Trust()
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) {
        await generators.upstreamCloses()
        const measured = await generators.withClients(server, clients, (used) =>
          generators.measure(server, used, { do: "stop", ...how, leadMs: 1_500, windowMs })
        )
        const closes = await generators.upstreamCloses()
        const samples = measured.answers.flatMap((answer) => answer.samples)
        const into = seen.get(server.name)
        // A stop that crossed the end of its answer in flight finds nothing to stop.
        const stopped = samples.filter(({ id }) => closes.has(id))
        into.upstream.push(...stopped.map(({ id, stopped: at }) => closes.get(id) - at))
        into.close.push(
          ...stopped.flatMap(({ stopped: at, closed }) => (closed === null ? [] : [closed - at]))
        )
        const unanswered = samples.filter(({ closed }) => closed === null).length
        if (unanswered > 0) trust.doubt(`${server.name}: ${unanswered} stops had no close within 5 s`)
        const missed = samples.length - stopped.length
        if (missed > 0) trust.doubt(`${server.name}: ${missed} stops did not reach the upstream`)
        trust.add(measured)
        const last = stopped.map(({ stopped: at, closed }) => (closed ?? Number.NaN) - at)
        log(
          `  ${server.name.padEnd(8)} close p50 ${(percentile(last, 0.5) / 1000).toFixed(2)} ms, ` +
            `p99 ${(percentile(last, 0.99) / 1000).toFixed(2)} ms of ${last.length}`
        )
      }
    }
    const floor = seen.get("floor")
    for (const { name } of servers) {
      if (name === "floor") continue
      const mine = seen.get(name)
      for (const [what, pick] of [
        ["stop to close", ({ close }) => close],
        ["stop to upstream closed", ({ upstream }) => upstream]
      ]) {
        for (const [p, of] of [
          ["p50", 0.5],
          ["p99", 0.99]
        ]) {
          report({
            name: `${what} ${p}`,
            class: name,
            concurrency: clients,
            unit: "ms",
            ours: percentile(pick(mine), of) / 1000,
            floor: percentile(pick(floor), of) / 1000,
            ...trust.verdict
          })
        }
      }
    }
  }
}

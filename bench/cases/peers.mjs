/**
 * Ours beside servers of other makes: the same steady load of answers of 200 tokens, one after the other in every
 * round. The lower level is one that all of them were seen to carry; at the higher some do not, and that is told with what they
 * delivered.
 */
import { percentile } from "../statistics.mjs"
import { collapse, describe, steadyRound } from "../steady.mjs"
import { Trust } from "../Trust.mjs"

/** The slack is longer than any of them takes to end an answer at ease: who is behind is saturated. */
const load = { tokens: 200, delay: 20, slack: 1_000 }
const levels = [
  { ...load, concurrency: 10, windowMs: 8_000 },
  { ...load, concurrency: 100, windowMs: 4_000 }
]

const ms = (samples, p) => percentile(samples, p) / 1000

/** What is told, from the collapsed rounds of one server. */
const measures = [
  { name: "CPU", unit: "µs/token", of: (seen) => seen.cpuPerToken },
  { name: "one core could", unit: "tokens/s", better: "higher", of: (seen) => 1e6 / seen.cpuPerToken },
  { name: "delivered", unit: "tokens/s", better: "higher", of: (seen) => seen.tokensPerSecond },
  { name: "frames", unit: "frames/token", of: (seen) => seen.framesPerToken },
  { name: "bytes", unit: "bytes/token", of: (seen) => seen.bytesPerToken },
  { name: "first token added p50", unit: "ms", of: (seen) => ms(seen.firstToken, 0.5) },
  { name: "first token added p99", unit: "ms", of: (seen) => ms(seen.firstToken, 0.99) },
  { name: "last token to close p50", unit: "ms", of: (seen) => ms(seen.closeTail, 0.5) },
  { name: "last token to close p99", unit: "ms", of: (seen) => ms(seen.closeTail, 0.99) }
]

/** What speaks against the figures of some rounds of one server. */
const judge = (rounds) => {
  const trust = new Trust()
  for (const { measured } of rounds) trust.add(measured)
  return trust
}

/** Why a peer's figures are not those of a server at ease, or null. */
const remark = (rounds, floor) => {
  const { invalid, noise } = judge(rounds).verdict
  const delivered = Math.round(collapse(rounds).tokensPerSecond)
  const behind = rounds.some((round) => round.behind !== null)
  const said = [
    behind && `saturated: delivered ${delivered} tokens/s of ${Math.round(floor.tokensPerSecond)}`,
    invalid,
    noise !== null && `other programs used ${noise} cores meanwhile`
  ].filter(Boolean)
  return said.length > 0 ? said.join("; ") : null
}

export const peers = {
  name: "peers",
  description: "Socket.IO, AI SDK, LangGraph and FastAPI beside ours",
  servers: ["memory", "durable"],
  peers: true,

  /** @param {import("../run.mjs").Bench} bench */
  async run({ servers, peers: others, absent, load: generators, rounds, log, report }) {
    // Streams of their own are what peers have too; the floor's frames stay whole, as ours do in all other cases.
    const ours = servers
      .filter(({ name }) => name !== "floor")
      .map((server) => ({ ...server, target: { ...server.target, brief: true } }))
    const floorServer = servers.find(({ name }) => name === "floor")
    const all = [...ours, floorServer, ...others]
    for (const level of levels) {
      const { concurrency, tokens, delay } = level
      log(`peers: ${concurrency} at a time, ${tokens} tokens, one every ${delay} ms, ${rounds} rounds`)
      const seen = new Map(all.map(({ name }) => [name, []]))
      for (let round = 0; round < rounds; round++) {
        for (const server of all) {
          const result = await steadyRound(generators, server, level)
          seen.get(server.name).push(result)
          log(`${describe(server.name, result)}${result.behind ? `, behind: ${result.behind}` : ""}`)
        }
      }
      const floor = collapse(seen.get("floor"))
      const peer = others.map(({ name }) => [name, collapse(seen.get(name))])
      const remarks = others.map(({ name }) => [name, remark(seen.get(name), floor)])
      for (const { name } of ours) {
        const mine = collapse(seen.get(name))
        const both = [...seen.get(name), ...seen.get("floor")]
        const trust = judge(both)
        for (const { behind } of both) if (behind) trust.doubt(behind)
        for (const { name: what, unit, better = "lower", of } of measures) {
          report({
            name: `peers ${what}`,
            class: name,
            concurrency,
            unit,
            better,
            ours: of(mine),
            floor: of(floor),
            peers: Object.fromEntries([
              ...peer.map(([key, figures]) => [key, of(figures)]),
              ...[...absent.keys()].map((key) => [key, null])
            ]),
            remarks: Object.fromEntries([...remarks.filter(([, text]) => text !== null), ...absent]),
            ...trust.verdict
          })
        }
      }
    }
  }
}

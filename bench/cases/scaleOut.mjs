/**
 * What more nodes cost: CPU time of a token, of all nodes together, and what Redis does for it, with one to four nodes
 * on one Redis and one database. The same load for all, a load that grows with the nodes, and the same load with a
 * second tab of every session on another node.
 */
import { Redis } from "ioredis"
import { median } from "../statistics.mjs"
import { collapse, describe, steadyRound } from "../steady.mjs"
import { Trust } from "../Trust.mjs"

const load = { tokens: 200, delay: 50, slack: 800, windowMs: 8_000 }
const ways = [
  { name: "the same load", clients: () => 80, tabs: false },
  { name: "20 answers a node", clients: (nodes) => 20 * nodes, tabs: false },
  { name: "the same load, a tab elsewhere", clients: () => 80, tabs: true }
]
const counts = [1, 2, 3, 4]

/** What Redis says of itself. @param {Redis} redis */
const look = async (redis) => {
  const text = await redis.info("everything")
  const number = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1])
  const calls = [...text.matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)].reduce((all, [, n]) => all + Number(n), 0)
  const scripts = Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(text)?.[1] ?? 0)
  return {
    cpu: (number("used_cpu_user") + number("used_cpu_sys")) * 1e6,
    calls,
    scripts,
    bytesIn: number("total_net_input_bytes"),
    bytesOut: number("total_net_output_bytes")
  }
}

export const scaleOut = {
  name: "scale-out",
  description: "one to four nodes on one Redis",
  servers: [],
  onlyByName: true,

  /** @param {import("../run.mjs").Bench} bench */
  async run({ startServer, load: generators, redisUrl, rounds, log, report }) {
    if (redisUrl === null) return log("scale-out: no Redis here")
    const redis = new Redis(redisUrl)
    /** By way and number of nodes. @type {Map<string, Array<import("../steady.mjs").Round>>} */
    const seen = new Map()
    const trust = new Trust()
    for (const nodes of counts) {
      const server = await startServer(`node${nodes}`)
      server.look = () => look(redis)
      const before = await look(redis)
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      const idle = await look(redis)
      const each = (what) => ((idle[what] - before[what]) / 4).toFixed(1)
      log(
        `  ${nodes} idle: ${each("calls")} commands/s, ${each("bytesIn")} bytes/s in, ${each("bytesOut")} out`
      )
      for (let round = -1; round < rounds; round++) {
        for (const way of ways) {
          if (way.tabs && nodes === 1) continue
          const spread = { ...server, target: { ...server.target, spread: true, tabs: way.tabs } }
          const result = await steadyRound(generators, spread, { ...load, concurrency: way.clients(nodes) })
          // The first warms up.
          if (round < 0) continue
          const key = `${way.name} ${nodes}`
          seen.set(key, [...(seen.get(key) ?? []), result])
          trust.add(result.measured)
          if (result.behind) trust.doubt(`${nodes} nodes: ${result.behind}`)
          log(`${describe(`${nodes} nodes`, result)} (${way.name})`)
        }
      }
      await server.stop()
    }
    redis.disconnect()
    for (const way of ways) {
      for (const nodes of counts) {
        const mine = seen.get(`${way.name} ${nodes}`)
        const alone = seen.get(`${way.tabs ? ways[0].name : way.name} 1`)
        if (mine === undefined || alone === undefined) continue
        const redisOf = (rows, what) =>
          median(
            rows.map(({ measured, tokensPerSecond }) => {
              const [from, to] = measured.seen
              return (to[what] - from[what]) / (tokensPerSecond * measured.seconds)
            })
          )
        const add = (what, unit, of) =>
          report({
            name: `scale-out ${what}, ${way.name}`,
            class: `${nodes} nodes`,
            concurrency: way.clients(nodes),
            unit,
            ours: of(mine),
            floor: of(alone),
            ...trust.verdict
          })
        add("CPU", "µs/token", (rows) => collapse(rows).cpuPerToken)
        add("Redis CPU", "µs/token", (rows) => redisOf(rows, "cpu"))
        add("Redis scripts", "calls/token", (rows) => redisOf(rows, "scripts"))
        add("Redis commands", "calls/token", (rows) => redisOf(rows, "calls"))
        add("Redis bytes in", "bytes/token", (rows) => redisOf(rows, "bytesIn"))
        add("Redis bytes out", "bytes/token", (rows) => redisOf(rows, "bytesOut"))
      }
    }
  }
}

/**
 * What more nodes cost: CPU time of a token, of all nodes together, and what Redis does for it, with one to four nodes
 * on one Redis and one database. The same load for all, a load that grows with the nodes, and the same load with a
 * second tab of every session on another node. As many servers of the same kind and on the same services, but with
 * databases and keys of their own, take the same loads: what their tokens cost more, the machine takes.
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

const cpu = (rows) => collapse(rows).cpuPerToken

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

/** Says what nodes that have nothing to do ask of Redis. */
const idle = async (redis, nodes, log) => {
  const seconds = 4
  const before = await look(redis)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const after = await look(redis)
  const each = (what) => ((after[what] - before[what]) / seconds).toFixed(1)
  log(`  ${nodes} idle: ${each("calls")} commands/s, ${each("bytesIn")} bytes/s in, ${each("bytesOut")} out`)
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
    for (let round = 0; round < rounds; round++) {
      // Back and forth: what the machine does meanwhile is nobody's alone.
      for (const nodes of round % 2 === 0 ? counts : [...counts].reverse()) {
        for (const kind of ["stranger", "node"]) {
          const server = await startServer(`${kind}${nodes}`)
          if (kind === "node") server.look = () => look(redis)
          const spread = (way) => ({ ...server, target: { ...server.target, spread: true, tabs: way.tabs } })
          const measure = (way) =>
            steadyRound(generators, spread(way), { ...load, concurrency: way.clients(nodes) })
          if (kind === "node" && round === 0) await idle(redis, nodes, log)
          // Warms up.
          await measure(ways[0])
          for (const way of ways) {
            if (way.tabs && (nodes === 1 || kind === "stranger")) continue
            const result = await measure(way)
            const key = `${kind} ${way.name} ${nodes}`
            seen.set(key, [...(seen.get(key) ?? []), result])
            trust.add(result.measured)
            if (result.behind) trust.doubt(`${nodes} nodes: ${result.behind}`)
            log(`${describe(`${nodes} ${kind}s`, result)} (${way.name})`)
          }
          await server.stop()
        }
      }
    }
    redis.disconnect()
    for (const way of ways) {
      for (const nodes of counts) {
        const mine = seen.get(`node ${way.name} ${nodes}`)
        const alone = seen.get(`node ${way.tabs ? ways[0].name : way.name} 1`)
        if (mine === undefined || alone === undefined) continue
        const redisOf = (rows, what) =>
          median(
            rows.map(({ measured, tokensPerSecond }) => {
              const [from, to] = measured.seen
              return (to[what] - from[what]) / (tokensPerSecond * measured.seconds)
            })
          )
        const tell = (servers, what, unit, ours, floor) =>
          report({
            name: `scale-out ${what}, ${way.name}`,
            class: servers,
            concurrency: way.clients(nodes),
            unit,
            ours,
            floor,
            ...trust.verdict
          })
        const add = (what, unit, of) => tell(`${nodes} nodes`, what, unit, of(mine), of(alone))
        add("CPU", "µs/token", cpu)
        const strangers = seen.get(`stranger ${way.name} ${nodes}`)
        const one = seen.get(`stranger ${way.name} 1`)
        if (strangers && one) tell(`${nodes} strangers`, "CPU", "µs/token", cpu(strangers), cpu(one))
        add("Redis CPU", "µs/token", (rows) => redisOf(rows, "cpu"))
        add("Redis scripts", "calls/token", (rows) => redisOf(rows, "scripts"))
        add("Redis commands", "calls/token", (rows) => redisOf(rows, "calls"))
        add("Redis bytes in", "bytes/token", (rows) => redisOf(rows, "bytesIn"))
        add("Redis bytes out", "bytes/token", (rows) => redisOf(rows, "bytesOut"))
      }
    }
  }
}

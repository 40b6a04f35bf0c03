/** One run of the benchmark: starts what it needs, measures the chosen cases, tells. */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { firstToken } from "./cases/firstToken.mjs"
import { heartbeats } from "./cases/heartbeats.mjs"
import { history } from "./cases/history.mjs"
import { idle } from "./cases/idle.mjs"
import { peers } from "./cases/peers.mjs"
import { reconnect } from "./cases/reconnect.mjs"
import { scaleOut } from "./cases/scaleOut.mjs"
import { slowReader } from "./cases/slowReader.mjs"
import { soak } from "./cases/soak.mjs"
import { start as startCase } from "./cases/start.mjs"
import { stop } from "./cases/stop.mjs"
import { streaming } from "./cases/streaming.mjs"
import { Load } from "./Load.mjs"
import { startPeers } from "./peers/startPeers.mjs"
import { start } from "./processes.mjs"
import { complete } from "./report.mjs"
import { available, servers as known } from "./servers.mjs"
import { startServices } from "./services.mjs"

const here = dirname(fileURLToPath(import.meta.url))

export const cases = [
  streaming,
  idle,
  heartbeats,
  reconnect,
  firstToken,
  stop,
  slowReader,
  history,
  startCase,
  peers,
  scaleOut,
  soak
]

/**
 * @typedef {{
 *   servers: ReadonlyArray<import("./servers.mjs").Server>,
 *   peers: ReadonlyArray<import("./servers.mjs").Server>, absent: ReadonlyMap<string, string>,
 *   startServer: (name: string) => Promise<import("./servers.mjs").Server>,
 *   load: Load, rounds: number, runs: number, messages: number, redisUrl: string | null, log: (line: string) => void,
 *   report: (result: Partial<import("./report.mjs").Case>) => void }} Bench what a case is given
 */

/**
 * Code is compiled by the time that something is measured, both what a token takes and what a question takes: 12,000
 * tokens a second, then 300 questions a second (after a thousand of them a question still costs half as much again as after
 * five thousand: compilers are at work). Peers are warmed at a pace that they can keep.
 */
const warmUp = [
  { clients: 60, tokens: 200, delay: 5, slack: 20, windowMs: 3_000 },
  { clients: 60, tokens: 10, delay: 5, slack: 150, windowMs: 20_000 }
]
const warmUpOfPeers = [{ clients: 10, tokens: 100, delay: 20, slack: 20, windowMs: 4_000 }]

const warm = async (load, server, phases, log) => {
  log(`warming up ${server.process.name}`)
  for (const { clients, ...how } of phases) {
    await load.withClients(server, clients, (generators) =>
      load.measure(server, generators, { do: "stream", ramp: 500, leadMs: 100, ...how })
    )
  }
}

/**
 * @param {{ only: ReadonlyArray<string>, peer: ReadonlyArray<string>, rounds: number, runs: number, messages: number,
 *   profileDir?: string | undefined, log: (line: string) => void }} options `peer`: those to measure, by name;
 *   `messages`: of the long history
 */
export const run = async ({ only, peer, rounds, runs, messages, profileDir, log }) => {
  const chosen = cases.filter(({ name, onlyByName }) =>
    only.length === 0 ? !onlyByName : only.includes(name)
  )
  const withPeers = chosen.some((one) => one.peers)
  const services = await startServices(log)
  const upstream = await start({
    name: "upstream",
    program: join(here, "upstream.mjs"),
    ready: /"port":(\d+)/
  })
  const load = await Load.start(2, upstream, services.pids)
  const options = { upstreamPort: Number(upstream.match[1]), services, profileDir, log }
  const startServer = (name) => known[name](options)

  const wanted = [...new Set(chosen.flatMap(({ servers }) => servers))].filter((name) =>
    available(services).includes(name)
  )
  /** @type {Array<import("./servers.mjs").Server>} */
  const servers = []
  for (const name of wanted.length > 0 ? [wanted[0], "floor", ...wanted.slice(1)] : []) {
    servers.push(await startServer(name))
  }
  for (const server of servers) await warm(load, server, warmUp, log)

  const results = []
  const report = (result) => results.push(complete(result))
  const bench = {
    servers,
    startServer,
    load,
    rounds,
    runs,
    messages,
    redisUrl: services.redisUrl,
    log,
    report,
    peers: [],
    absent: new Map()
  }
  /** With the floor, and those that the case asks for: what others ask for is there too. */
  const measure = (one, more = {}) =>
    one.run({
      ...bench,
      ...more,
      servers: servers.filter(({ name }) => name === "floor" || one.servers.includes(name))
    })
  for (const one of chosen.filter((one) => !one.peers)) await measure(one)

  // Afterwards, so that they are not there while ours are measured alone.
  const { started, absent } = await startPeers(withPeers ? peer : [], options)
  for (const server of started) await warm(load, server, warmUpOfPeers, log)
  for (const one of chosen.filter((one) => one.peers)) await measure(one, { peers: started, absent })

  await Promise.all([...servers, ...started, upstream, ...load.generators].map((one) => one.stop()))
  await services.stop()
  return results
}

/** One run of the benchmark: starts what it needs, measures the chosen cases, tells. */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { firstToken } from "./cases/firstToken.mjs"
import { idle } from "./cases/idle.mjs"
import { stop } from "./cases/stop.mjs"
import { streaming } from "./cases/streaming.mjs"
import { Load } from "./Load.mjs"
import { start } from "./processes.mjs"
import { complete } from "./report.mjs"
import { servers as known } from "./servers.mjs"

const here = dirname(fileURLToPath(import.meta.url))

export const cases = [streaming, idle, firstToken, stop]

/**
 * @typedef {{
 *   servers: ReadonlyArray<import("./servers.mjs").Server>,
 *   startServer: (name: string) => Promise<import("./servers.mjs").Server>,
 *   load: Load, rounds: number, log: (line: string) => void,
 *   report: (result: Partial<import("./report.mjs").Case>) => void }} Bench what a case is given
 */

/** Code is compiled by the time that something is measured. */
const warmUp = { clients: 60, tokens: 200, delay: 5, windowMs: 3_000 }

/**
 * @param {{ only: ReadonlyArray<string>, rounds: number, profileDir?: string | undefined, log: (line: string) => void }} options
 */
export const run = async ({ only, rounds, profileDir, log }) => {
  const chosen = cases.filter(({ name }) => only.length === 0 || only.includes(name))
  const upstream = await start({
    name: "upstream",
    program: join(here, "upstream.mjs"),
    ready: /"port":(\d+)/
  })
  const load = await Load.start(2, upstream)
  const options = { upstreamPort: Number(upstream.match[1]), profileDir }
  const startServer = (name) => known[name](options)

  const wanted = [...new Set(chosen.flatMap(({ servers }) => servers))].filter((name) => name in known)
  /** @type {Array<import("./servers.mjs").Server>} */
  const servers = []
  for (const name of wanted.length > 0 ? [wanted[0], "floor", ...wanted.slice(1)] : []) {
    servers.push(await startServer(name))
  }
  for (const server of servers) {
    log(`warming up ${server.process.name}`)
    const { clients, ...how } = warmUp
    await load.withClients(server, clients, (generators) =>
      load.measure(server, generators, { do: "stream", slack: 20, ramp: 500, leadMs: 100, ...how })
    )
  }

  const results = []
  const report = (result) => results.push(complete(result))
  for (const one of chosen) await one.run({ servers, startServer, load, rounds, log, report })

  await Promise.all([...servers, upstream, ...load.generators].map((one) => one.stop()))
  return results
}

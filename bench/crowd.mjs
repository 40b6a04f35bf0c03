/** The crowd of the cases about connections: signed-in sockets, each with a session open, that say nothing. */
import { readFileSync } from "node:fs"

export const crowd = 10_000

/** Rounds of these cases at most: each starts servers of its own, and their figures hardly differ. */
export const mostRounds = 2

const files = () => {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))
  return line?.[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? Number.NaN)
}

const ports = () => {
  const [first, last] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
    .trim()
    .split(/\s+/)
    .map(Number)
  return last - first + 1
}

/**
 * Why this machine cannot hold the crowd, or null. Node raises its soft limit of open files to the hard one by
 * itself. Ports are needed twice: those of connections that were cut are not free at once.
 */
export const shortOf = () => {
  if (files() < crowd + 1_000) return `only ${files()} files may be open: raise the hard limit (ulimit -Hn)`
  if (ports() < 2 * crowd + 1_000) return `only ${ports()} local ports: widen net.ipv4.ip_local_port_range`
  return null
}

/**
 * Has `look` look at each server with the crowd connected, in rounds and in turns, each server freshly started. What
 * it answers comes back by server.
 * @template T @param {import("./run.mjs").Bench} bench @param {{ name: string }} which
 * @param {(server: import("./servers.mjs").Server, meet: <R>(work: (generators: ReadonlyArray<import("./processes.mjs").Process>,
 *   connected: { seconds: number }) => Promise<R>) => Promise<R>) => Promise<T>} look `meet` connects them for as long as
 *   its work takes
 * @returns {Promise<{ memory: Array<T>, floor: Array<T> } | null>} null where the machine is too small
 */
export const withCrowd = async ({ startServer, load, rounds, log }, { name }, look) => {
  const short = shortOf()
  if (short !== null) {
    log(`${name}: left out, ${short}`)
    return null
  }
  const times = Math.min(mostRounds, rounds)
  log(`${name}: ${crowd} connections, ${times} rounds`)
  const seen = { memory: [], floor: [] }
  for (let round = 0; round < times; round++) {
    for (const kind of /** @type {const} */ (["memory", "floor"])) {
      const server = await startServer(kind)
      try {
        // So that code and pools are there before and not after.
        await load.withClients(server, warmUp, async () => undefined)
        seen[kind].push(await look(server, (work) => load.withClients(server, crowd, work)))
      } finally {
        await server.stop()
      }
    }
  }
  return seen
}

const warmUp = 200

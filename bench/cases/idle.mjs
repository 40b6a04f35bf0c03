/**
 * What an idle client costs: resident memory of the server with 5,000 sockets, each signed in and with a
 * session open, less its memory before, both after a collection. Each round has servers of its own, freshly
 * started, because memory once grown is not given back.
 */
import { sleep } from "../clock.mjs"
import { residentBytes } from "../proc.mjs"
import { median } from "../statistics.mjs"

const connections = 5_000
/** Connected and left again first, so that code and pools are counted before and not after. */
const warmUp = 200

/** Resident bytes once they have stopped changing. @param {import("../servers.mjs").Server} server */
const settled = async (server) => {
  let last = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 8; attempt++) {
    await server.process.request("collect", 20_000)
    await sleep(300)
    const bytes = residentBytes(server.process.pid)
    if (Math.abs(bytes - last) < last * 0.005) return bytes
    last = bytes
  }
  return last
}

export const idle = {
  name: "idle",
  description: `${connections} idle sockets, each with a session open`,
  servers: [],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ startServer, load, rounds, log, report }) {
    log(`idle: ${connections} connections, ${Math.min(2, rounds)} rounds`)
    const names = ["memory", "floor"]
    const seen = new Map(names.map((name) => [name, { bytes: [], rate: [] }]))
    for (let round = 0; round < Math.min(2, rounds); round++) {
      for (const name of names) {
        const server = await startServer(name)
        try {
          await load.withClients(server, warmUp, async () => undefined)
          const before = await settled(server)
          const { each, rate } = await load.withClients(server, connections, async (_, { seconds }) => ({
            each: ((await settled(server)) - before) / connections,
            rate: connections / seconds
          }))
          seen.get(name).bytes.push(each)
          seen.get(name).rate.push(rate)
          log(
            `  ${name.padEnd(8)} ${(each / 1024).toFixed(1)} KB each over ${(before / 1024 ** 2).toFixed(0)} MB at rest` +
              `, ${Math.round(rate)} connections/s`
          )
        } finally {
          await server.stop()
        }
      }
    }
    const pick = (name, what) => median(seen.get(name)[what])
    const common = { class: "memory", concurrency: connections }
    report({
      ...common,
      name: "idle connection",
      unit: "KB/connection",
      ours: pick("memory", "bytes") / 1024,
      floor: pick("floor", "bytes") / 1024,
      gate: true
    })
    report({
      ...common,
      name: "connect rate",
      unit: "connections/s",
      ours: pick("memory", "rate"),
      floor: pick("floor", "rate"),
      better: "higher"
    })
  }
}

/**
 * What an idle client costs: resident memory of the server with 10,000 sockets, each signed in and with a
 * session open, less its memory before, both after a collection. Each round has servers of its own, freshly
 * started, because memory once grown is not given back. And how fast they came,
 * and what of the server's CPU time each took: less a matter of what else the machine does.
 */
import { sleep } from "../clock.mjs"
import { crowd, withCrowd } from "../crowd.mjs"
import { cpuMicros, residentBytes } from "../proc.mjs"
import { median } from "../statistics.mjs"

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
  description: `${crowd} idle sockets, each with a session open`,
  servers: [],

  /** @param {import("../run.mjs").Bench} bench */
  async run(bench) {
    const seen = await withCrowd(bench, idle, async (server, meet) => {
      const before = await settled(server)
      const began = cpuMicros(server.process.pid)
      return await meet(async (_, { seconds }) => {
        const micros = (cpuMicros(server.process.pid) - began) / crowd
        const each = ((await settled(server)) - before) / crowd
        const rate = crowd / seconds
        bench.log(
          `  ${server.name.padEnd(8)} ${(each / 1024).toFixed(1)} KB each over ${(before / 1024 ** 2).toFixed(0)} MB at rest` +
            `, ${Math.round(rate)} connections/s, ${Math.round(micros)} µs of CPU each`
        )
        return { each, rate, micros }
      })
    })
    if (seen === null) return
    const pick = (kind, what) => median(seen[kind].map((one) => one[what]))
    const common = { class: "memory", concurrency: crowd }
    bench.report({
      ...common,
      name: "idle connection",
      unit: "KB/connection",
      ours: pick("memory", "each") / 1024,
      floor: pick("floor", "each") / 1024,
      gate: true
    })
    bench.report({
      ...common,
      name: "connect rate",
      unit: "connections/s",
      ours: pick("memory", "rate"),
      floor: pick("floor", "rate"),
      better: "higher"
    })
    bench.report({
      ...common,
      name: "connect CPU",
      unit: "µs/connection",
      ours: pick("memory", "micros"),
      floor: pick("floor", "micros")
    })
  }
}

/**
 * What it costs to know that 10,000 idle clients are still there: the server's CPU time while nothing happens but
 * its pings and their answers, over one whole interval of them.
 */
import { crowd, withCrowd } from "../crowd.mjs"
import { median } from "../statistics.mjs"

/** One interval of pings, of ours and of the floor: each socket is pinged once, whenever the window begins. */
const windowMs = 30_000
/**
 * Until what connecting left behind has been cleared away: in the first half minute of quiet V8's full collections cost more
 * than the pings.
 */
const leadMs = 30_000

export const heartbeats = {
  name: "heartbeats",
  description: `pings for ${crowd} idle sockets`,
  servers: [],

  /** @param {import("../run.mjs").Bench} bench */
  async run(bench) {
    const doubts = { memory: [], floor: [] }
    const seen = await withCrowd(bench, heartbeats, (server, meet) =>
      meet(async (generators) => {
        const measured = await bench.load.measure(server, generators, { do: "rest", leadMs, windowMs })
        doubts[server.name].push(...measured.doubts)
        bench.log(
          `  ${server.name.padEnd(8)} ${(measured.serverShare * 100).toFixed(2)} % of a core` +
            `, others ${measured.strangers.toFixed(2)} cores`
        )
        return { share: measured.serverShare * 100, strangers: measured.strangers }
      })
    )
    if (seen === null) return
    const pick = (kind, what) => median(seen[kind].map((one) => one[what]))
    const [doubt] = [...doubts.memory, ...doubts.floor]
    const noise = Math.max(pick("memory", "strangers"), pick("floor", "strangers"))
    bench.report({
      name: "heartbeats",
      class: "memory",
      concurrency: crowd,
      unit: "% of a core",
      ours: pick("memory", "share"),
      floor: pick("floor", "share"),
      invalid: doubt ?? null,
      noise: noise > 0.25 ? Number(noise.toFixed(2)) : null
    })
  }
}

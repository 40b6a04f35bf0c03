/**
 * A network that comes back: 10,000 sockets are cut without a word, and all of them connect anew at once, each with
 * the place up to which it has read. How long until the last one has its session back; on the floor there is nothing to
 * resume, it only connects. A connection that was refused, or that the server did not recognise, makes the figure
 * invalid.
 */
import { crowd, withCrowd } from "../crowd.mjs"
import { median } from "../statistics.mjs"

/** Handshakes of one generator that are in progress at a time. */
const parallel = 64

export const reconnect = {
  name: "reconnect",
  description: `${crowd} sockets come back with their places`,
  servers: [],

  /** @param {import("../run.mjs").Bench} bench */
  async run(bench) {
    const seen = await withCrowd(bench, reconnect, (server, meet) =>
      meet(async (generators) => {
        const back = await bench.load.reconnect(generators, parallel)
        bench.log(
          `  ${server.name.padEnd(8)} ${back.seconds.toFixed(1)} s, ${back.failures} failed, ${back.recovered} recovered`
        )
        return back
      })
    )
    if (seen === null) return
    const pick = (kind) => median(seen[kind].map(({ seconds }) => seconds))
    const failed = [...seen.memory, ...seen.floor].find(({ failures }) => failures > 0)
    const forgotten = seen.memory.find(({ recovered }) => recovered < crowd)
    bench.report({
      name: "reconnect with resume",
      class: "memory",
      concurrency: crowd,
      unit: "s for all",
      ours: pick("memory"),
      floor: pick("floor"),
      invalid: failed
        ? `${failed.failures} of ${crowd} did not come back: ${failed.failure}`
        : forgotten
          ? `${crowd - forgotten.recovered} of ${crowd} were told that they were not recovered`
          : null
    })
  }
}

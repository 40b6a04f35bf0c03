/**
 * An hour of people coming and going in less time: 200,000 short answers in 2,000 sessions, and what the server's heap
 * holds after a collection on the way. Only when asked for by name. Of the default storage, because `memory:` keeps every
 * row by design.
 */
import { residentBytes } from "../proc.mjs"
import { Trust } from "../Trust.mjs"
import { visit } from "../Visitor.mjs"

const sessions = 2_000
const visitors = 24
const samples = 100
/** Of the runs: by then every session has been there. */
const warmUp = 0.2
/** Seconds that sessions are kept which nobody comes back to: until then there are more of them, the more the faster it goes. */
const keptFor = 300
/** Samples after that, with which a line means something. */
const enough = 20
/** Kilobytes of heap for a thousand runs that are taken for noise. */
const noise = 10
/** Share of visits that come to a new session, which takes the place of an old one. */
const renewed = 0.01

/** Least squares. @param {ReadonlyArray<{ x: number, y: number }>} points */
export const slopeOf = (points) => {
  const mean = (pick) => points.reduce((all, point) => all + pick(point), 0) / points.length
  const x = mean((point) => point.x)
  const y = mean((point) => point.y)
  return mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2)
}

const megabytes = (bytes) => (bytes / 1024 ** 2).toFixed(1)

export const soak = {
  name: "soak",
  description: `runs in ${sessions} sessions, sockets coming and going`,
  servers: [],
  onlyByName: true,

  /** @param {import("../run.mjs").Bench} bench */
  async run({ startServer, runs: wanted, log, report }) {
    const server = await startServer("sqlite")
    const name = () => crypto.randomUUID()
    const known = Array.from({ length: sessions }, () => ({ chatId: name(), epoch: null, seq: 0 }))
    const taken = []
    const began = Date.now()
    let runs = 0
    let failures = 0
    let due = 0
    /** @type {Promise<void>} */
    let sampling = Promise.resolve()
    const sample = async (at) => {
      const { collected } = await server.process.request("collect", 60_000)
      const rss = residentBytes(server.process.pid)
      taken.push({ runs: at, seconds: (Date.now() - began) / 1000, ...collected, rss })
      log(
        `  ${at} runs: heap ${megabytes(collected.heapUsed)} MB, external ${megabytes(collected.external)} MB` +
          `, resident ${megabytes(rss)} MB, ${Math.round((at * 1000) / (Date.now() - began))} runs/s, ${failures} failures`
      )
    }
    const go = async () => {
      while (runs < wanted) {
        // Whoever takes a session has it for itself: it is put back after the visit.
        const [one] = known.splice(Math.floor(Math.random() * known.length), 1)
        const done = await visit(server.target, one)
        runs += done.runs
        failures += done.failures
        known.push(Math.random() < renewed ? { chatId: name(), epoch: null, seq: 0 } : one)
        if (runs < due) continue
        due += wanted / samples
        const at = runs
        sampling = sampling.then(() => sample(at))
      }
    }
    try {
      await Promise.all(Array.from({ length: visitors }, go))
      await sampling
    } finally {
      await server.stop()
    }
    const warm = taken.filter((one) => one.runs >= wanted * warmUp)
    const settled = warm.filter((one) => one.seconds >= keptFor)
    const isLong = settled.length >= enough
    const slope = slopeOf(
      (isLong ? settled : warm).map((one) => ({ x: one.runs / 1000, y: one.heapUsed / 1024 }))
    )
    const trust = new Trust()
    if (!isLong)
      trust.doubt(`too short: until ${keptFor} s what is kept for that long still grows; give more --runs`)
    else if (slope > noise) trust.doubt(`the heap grew by ${slope.toFixed(1)} KB for every 1,000 runs`)
    if (failures > wanted * 0.001) trust.doubt(`${failures} answers or refusals did not come`)
    report({
      name: "soak heap growth",
      class: "sqlite",
      concurrency: sessions,
      unit: "KB/1,000 runs",
      ours: slope,
      floor: noise,
      samples: taken,
      ...trust.verdict
    })
  }
}

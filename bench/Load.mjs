/** The generators as one: spreads clients over processes, merges what they saw, and says whether to believe it. */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { now, sleep, until } from "./clock.mjs"
import { cpuMicros, machineBusyMicros, processTree } from "./proc.mjs"
import { start, within } from "./processes.mjs"
import { sum } from "./statistics.mjs"

const here = dirname(fileURLToPath(import.meta.url))

/** Clients that one process serves with honest latencies. */
const clientsEach = 250
/** Beyond these a generator measures itself. */
const maxCpuShare = 0.9
const maxLagMillis = 100
/** Cores that other programs may use while a measurement begins. */
const quietEnough = 0.25
/** Waiting for that, in milliseconds, over a whole run. */
const maxPatience = 60_000

let rounds = 0

export class Load {
  #patience = maxPatience

  /**
   * @param {ReadonlyArray<import("./processes.mjs").Process>} generators
   * @param {import("./processes.mjs").Process} upstream
   * @param {ReadonlyArray<number>} services processes that servers use: neither a server's nor a stranger's
   */
  constructor(generators, upstream, services) {
    this.generators = generators
    this.upstream = upstream
    this.services = services
  }

  /** @param {number} processes @param {import("./processes.mjs").Process} upstream @param {ReadonlyArray<number>} services */
  static async start(processes, upstream, services) {
    const generators = await Promise.all(
      Array.from({ length: processes }, (_, i) =>
        start({ name: `generator ${i + 1}`, program: join(here, "generator.mjs"), ready: /ready/ })
      )
    )
    return new Load(generators, upstream, services)
  }

  /** Waits until other programs leave the machine alone, as long as patience lasts. @param {ReadonlyArray<number>} pids */
  async #quiet(pids) {
    const others = () => machineBusyMicros() - sum(pids.map(cpuMicros))
    while (this.#patience > 0) {
      const began = now()
      const before = others()
      await sleep(250)
      const took = now() - began
      if ((others() - before) / took < quietEnough) return
      this.#patience -= took / 1000
    }
  }

  async #tell(generators, message, timeoutMs) {
    const answers = await Promise.all(generators.map((one, i) => one.request(message(i), timeoutMs)))
    const failed = answers.find((answer) => answer.failed)
    if (failed) throw new Error(`a generator failed: ${failed.failed}`)
    return answers
  }

  /**
   * Connects clients, lets `work` use them, disconnects them.
   * @template T @param {import("./servers.mjs").Server} server @param {number} count
   * @param {(generators: ReadonlyArray<import("./processes.mjs").Process>, connected: { seconds: number }) => Promise<T>} work
   */
  async withClients(server, count, work) {
    const share = Math.min(this.generators.length, Math.ceil(count / clientsEach))
    const used = this.generators.slice(0, share)
    const round = ++rounds
    const counts = used.map((_, i) => Math.floor(count / share) + (i < count % share ? 1 : 0))
    const connected = await this.#tell(
      used,
      (i) => ({
        do: "connect",
        target: server.target,
        label: `r${round}g${i}`,
        count: counts[i]
      }),
      120_000
    )
    try {
      return await work(used, { seconds: Math.max(...connected.map(({ seconds }) => seconds)) })
    } finally {
      await this.#tell(used, () => ({ do: "disconnect" }), 30_000)
    }
  }

  /**
   * Has every client lose its connection and come back to where it was, `parallel` of a generator at a time.
   * @param {ReadonlyArray<import("./processes.mjs").Process>} generators @param {number} parallel
   */
  async reconnect(generators, parallel) {
    const answers = await this.#tell(generators, () => ({ do: "reconnect", parallel }), 120_000)
    return {
      seconds: Math.max(...answers.map(({ seconds }) => seconds)),
      recovered: sum(answers.map(({ recovered }) => recovered)),
      failures: sum(answers.map(({ failures }) => failures)),
      failure: answers.map(({ failure }) => failure).find((one) => one !== null) ?? null
    }
  }

  /**
   * Has the generators do one thing within a window of time, and takes everybody's CPU time around it.
   * @param {import("./servers.mjs").Server} server
   * @param {ReadonlyArray<import("./processes.mjs").Process>} generators
   * @param {{ do: string, leadMs: number, windowMs: number }} task
   */
  async measure(server, generators, { leadMs, windowMs, ...task }) {
    const parts = [
      (server.pids ?? [server.process.pid]).flatMap(processTree),
      [this.upstream.pid],
      this.services,
      ...generators.map(({ pid }) => [pid])
    ]
    await this.#quiet(parts.flat())
    const begin = now() + 100_000
    const from = begin + leadMs * 1000
    const to = from + windowMs * 1000
    const reading = () => ({
      at: now(),
      cpu: parts.map((pids) => sum(pids.map(cpuMicros))),
      machine: machineBusyMicros()
    })
    const results = this.#tell(
      generators,
      () => ({
        ...task,
        ...(task.rate && { rate: task.rate / generators.length }),
        ...(task.beside && { beside: task.beside / generators.length }),
        begin,
        from,
        to
      }),
      leadMs + windowMs + 20_000
    )
    // Not left unhandled when it fails while the window is being waited for.
    results.catch(() => undefined)
    await until(from)
    const seenBefore = await server.look?.()
    const before = reading()
    await until(to)
    const after = reading()
    const seenAfter = await server.look?.()
    const answers = await results
    const took = after.at - before.at
    const used = after.cpu.map((cpu, i) => cpu - before.cpu[i])
    const shares = used.map((cpu) => cpu / took)
    const lagMillis = Math.max(...answers.map((answer) => answer.lagMillis))
    return {
      answers,
      seconds: windowMs / 1000,
      serverCpuMicros: used[0] * ((windowMs * 1000) / took),
      serverShare: shares[0],
      /** What the server was looked at for, at the window's ends. */
      seen: [seenBefore, seenAfter],
      upstreamShare: shares[1],
      serviceShare: shares[2],
      generatorShare: Math.max(...shares.slice(3)),
      /** Cores that somebody outside the benchmark was using. */
      strangers: Math.max(0, (after.machine - before.machine - sum(used)) / took),
      lagMillis,
      doubts: this.#doubts(shares, lagMillis, answers)
    }
  }

  #doubts(shares, lagMillis, answers) {
    const percent = (share) => `${Math.round(share * 100)} %`
    const doubts = []
    const worst = Math.max(...shares.slice(3))
    if (worst > maxCpuShare) doubts.push(`a generator used ${percent(worst)} of a core`)
    if (shares[1] > maxCpuShare) doubts.push(`the upstream used ${percent(shares[1])} of a core`)
    if (lagMillis > maxLagMillis) doubts.push(`a generator's event loop was ${Math.round(lagMillis)} ms late`)
    const error = answers.flatMap((answer) => answer.errors ?? [])[0]
    if (error) doubts.push(`clients met errors: ${error}`)
    return doubts
  }

  /** When the upstream lost the client of each answer, by the answer's id; forgets it. */
  async upstreamCloses() {
    const response = await within(
      fetch(`http://127.0.0.1:${this.upstream.match[1]}/closed`),
      5_000,
      "/closed"
    )
    return new Map(await response.json())
  }
}

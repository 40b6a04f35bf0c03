/** One chaos run: a world, a crowd of clients, a nemesis; then calm, and the check of everything that was seen. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { seededRandom } from "../support/SeededScheduler.ts"
import { checkLosses } from "./checkLosses.ts"
import { type ChaosSession, makeCrowd, type Outcome, settle } from "./crowd.ts"
import { type Fault, nemesis } from "./nemesis.ts"
import type { Violation } from "./record.ts"
import type { Report } from "./report.ts"
import { makeWorld, type World } from "./world.ts"

export interface ChaosOptions {
  readonly seed: number
  readonly minutes: number
  readonly sessions: number
  readonly nodes: number
  /** Only faults of these kinds. */
  readonly only?: ReadonlyArray<string>
  /** Another build of the program than `dist/main.js`. */
  readonly main?: string
  /** A folder for what the nodes print, and for the sessions with violations as JSON. */
  readonly logs?: string
  readonly say: (line: string) => void
}

/** How long everything may take to come to rest. */
const restWithin = 90_000

export const chaos = (options: ChaosOptions): Effect.Effect<Report, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const { seed, say } = options
    const world = yield* makeWorld(options)
    const access = { url: world.proxy.url, token: world.token }
    const startedAt = Date.now()
    const until = startedAt + options.minutes * 60_000
    const crowd = makeCrowd({
      seed,
      sessions: options.sessions,
      flowId: world.flowId,
      access,
      isBusy: () => Date.now() < until
    })
    const faults: Array<Fault> = []
    const lag = monitorEventLoopDelay()
    lag.enable()
    const cpu = process.cpuUsage()
    yield* Effect.forEach(
      crowd.flatMap(({ clients }) => clients),
      ({ live }) => Effect.forkScoped(live)
    )
    yield* Effect.forkScoped(watching(world, crowd, faults, startedAt, say))

    const bad = nemesis(
      world,
      seededRandom(seed),
      (fault) => {
        faults.push(fault)
        say(`${clock(startedAt)}  ${fault.kind} ${fault.what}`)
      },
      options.only
    )
    yield* Effect.raceFirst(bad, Effect.sleep(until - Date.now()))
    say(`${clock(startedAt)}  calm`)
    yield* world.heal
    const direct = { url: world.nodes[0]?.url ?? "", token: world.token }
    const settled = yield* Effect.mapError(
      settle(crowd, world.flowId, direct, restWithin),
      ({ why }) => new Error(`the nodes do not tell what is stored: ${why}`)
    )
    const outcomes = settled.map((outcome) => ({
      ...outcome,
      violations: [...outcome.violations, ...checkLosses(outcome.record, faults)]
    }))
    const used = process.cpuUsage(cpu)
    const seconds = (Date.now() - startedAt) / 1000
    if (options.logs !== undefined) keep(options.logs, world, outcomes)
    return {
      seed,
      violations: [...crashes(world), ...outcomes.flatMap(({ violations }) => violations)],
      outcomes,
      faults,
      startedAt,
      seconds,
      peakMemory: world.nodes.map(({ id, peakMemory }) => ({ id, bytes: peakMemory() })),
      generator: {
        cpuShare: (used.user + used.system) / 1e6 / seconds,
        lagMs: Math.round(lag.percentile(99) / 1e6)
      }
    }
  })

/** What the nodes said last, and whole sessions in which something is wrong. */
const keep = (folder: string, { nodes }: World, outcomes: ReadonlyArray<Outcome>): void => {
  mkdirSync(folder, { recursive: true })
  for (const { id, output } of nodes) writeFileSync(join(folder, `${id}.log`), output())
  for (const { record, violations } of outcomes) {
    if (violations.length === 0) continue
    writeFileSync(join(folder, `${record.chatId}.json`), JSON.stringify({ violations, ...record }))
  }
}

/** Nodes that ended by themselves. */
const crashes = ({ nodes }: World): ReadonlyArray<Violation> =>
  nodes.flatMap((node) =>
    node.crashes().map((how) => ({
      kind: "crash",
      chatId: "",
      client: null,
      text: `${how}\n${node.output().slice(-1_000)}`,
      passing: false,
      at: null
    }))
  )

const clock = (startedAt: number) => `${Math.round((Date.now() - startedAt) / 1000)} s`.padStart(6)

/** Looks at the nodes' memory, and says every ten seconds how things stand. */
const watching = (
  world: World,
  crowd: ReadonlyArray<ChaosSession>,
  faults: ReadonlyArray<Fault>,
  startedAt: number,
  say: (line: string) => void
) => {
  const notes = crowd.flatMap(({ clients }) => clients.map((client) => client.notes))
  const sum = (count: (one: (typeof notes)[number]) => number) =>
    notes.reduce((total, one) => total + count(one), 0)
  const look = Effect.sync(() => {
    for (const { peakMemory } of world.nodes) peakMemory()
  })
  const tell = Effect.sync(() => {
    const attached = notes.filter((one) => one.attached).length
    const open = sum((one) => one.unacknowledged.length)
    say(
      `${clock(startedAt)}  ${attached} of ${notes.length} clients attached, ` +
        `${sum((one) => one.questions.size)} questions (${open} not yet acknowledged), ` +
        `${sum((one) => one.frames)} frames, ${sum((one) => one.gaps)} gaps, ${faults.length} faults`
    )
  })
  return Effect.zipRight(Effect.repeat(look, Schedule.spaced("1 second")), Effect.never).pipe(
    Effect.raceFirst(Effect.repeat(tell, Schedule.spaced("10 seconds")))
  )
}

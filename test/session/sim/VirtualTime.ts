/**
 * Time and order of a simulated world. Whatever is ready to run is drawn at random, fibers are made to give
 * way at drawn moments, and when nothing is ready, time jumps to the next timer. Nothing here waits for real:
 * the same seed replays the same history.
 *
 * Each process of the world has a domain: its fibers and timers run there, stand still while it is paused, and
 * are gone for ever when it is killed, between any two steps of any fiber.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import { toMillis } from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RuntimeFiber } from "effect/Fiber"
import type { Scheduler } from "effect/Scheduler"
import { seededRandom } from "../../support/SeededScheduler.ts"
import { Timers } from "./Timers.ts"

export interface Task {
  readonly domain: Domain | null
  readonly run: () => void
}

/** Tasks that may be run while time stands still: beyond it something goes round in circles. */
const mostAtOnce = 100_000

/**
 * Steps that a fiber takes at least before it gives way. The program's own scheduler is a lot more patient; with less
 * than this, what Effect's own modules do in one go (`RcMap.get`) falls apart too.
 */
const fewSteps = 80

/** When every history begins, in milliseconds: any time will do. */
const dawn = 1_000_000_000_000

export class World {
  readonly random: () => number
  readonly clock: Clock.Clock
  protected readonly ready: Array<Task> = []
  private readonly timers = new Timers<Task>()
  private millis = dawn
  private stepsHere = 0
  /** Calls that will be carried out, though nobody waits for them any more. */
  straying = 0
  private readonly tell: ((line: string) => void) | null

  /** `tell` gets what happens, a line at a time. */
  constructor(seed: number, tell: ((line: string) => void) | null) {
    this.tell = tell
    this.random = seededRandom(seed)
    this.clock = this.clockOf(null)
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.millis - dawn
  }

  note(who: string, what: () => string): void {
    this.tell?.(`${(this.now / 1000).toFixed(3).padStart(8)} ${who.padEnd(6)} ${what()}`)
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1))
  }

  oneOf<A>(all: ReadonlyArray<A>): A {
    const one = all[Math.floor(this.random() * all.length)]
    if (one === undefined) throw new Error("nothing to choose from")
    return one
  }

  post(run: () => void, domain: Domain | null = null): void {
    this.ready.push({ domain, run })
  }

  /** Answers how to call it off. */
  after(ms: number, run: () => void, domain: Domain | null = null): () => void {
    return this.timers.add(this.millis + Math.max(0, Math.ceil(ms)), { domain, run })
  }

  /** Runs until `isOver`, or until this time; false: it was not over by then. */
  run(isOver: () => boolean, until: number): boolean {
    while (!isOver()) {
      const task = this.draw()
      if (task !== null) {
        this.stepsHere += 1
        if (this.stepsHere > mostAtOnce) throw new Error(`time stands still at ${this.now} ms`)
        if (task.domain === null) task.run()
        else task.domain.admit(task.run)
        continue
      }
      const next = this.timers.nextAt
      if (next === null || next - dawn > until) {
        this.millis = dawn + until
        return false
      }
      if (next > this.millis) this.stepsHere = 0
      this.millis = Math.max(this.millis, next)
      this.timers.takeDue(this.millis, (due) => this.ready.push(due))
    }
    return true
  }

  /** What runs next. */
  protected draw(): Task | null {
    const { ready } = this
    const last = ready.length - 1
    if (last < 0) return null
    const at = Math.floor(this.random() * ready.length)
    const task = ready[at]
    const moved = ready.pop()
    if (at !== last && moved !== undefined) ready[at] = moved
    return task ?? null
  }

  clockOf(domain: Domain | null): Clock.Clock {
    const unsafeCurrentTimeMillis = () => this.millis
    const unsafeCurrentTimeNanos = () => BigInt(this.millis) * 1_000_000n
    return {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis,
      unsafeCurrentTimeNanos,
      currentTimeMillis: Effect.sync(unsafeCurrentTimeMillis),
      currentTimeNanos: Effect.sync(unsafeCurrentTimeNanos),
      sleep: (duration: Duration.Duration) =>
        Effect.async<void>((resume) =>
          Effect.sync(this.after(toMillis(duration), () => resume(Effect.void), domain))
        )
    }
  }
}

export class Domain implements Scheduler {
  readonly name: string
  readonly world: World
  readonly clock: Clock.Clock
  private state: "up" | "paused" | "dead" = "up"
  private readonly held: Array<() => void> = []
  private readonly giveWay: number
  private fuse = 0
  private onFuse: () => void = () => undefined

  /** `giveWay`: how likely a fiber gives way before a step. */
  constructor(world: World, name: string, giveWay: number) {
    this.world = world
    this.name = name
    this.giveWay = giveWay
    this.clock = world.clockOf(this)
  }

  get isDead(): boolean {
    return this.state === "dead"
  }

  get isPaused(): boolean {
    return this.state === "paused"
  }

  scheduleTask(task: () => void): void {
    this.world.post(task, this)
  }

  shouldYield(fiber: RuntimeFiber<unknown, unknown>): number | false {
    if (this.fuse > 0) {
      this.fuse -= 1
      if (this.fuse === 0) this.onFuse()
    }
    if (this.state !== "up") return 1
    if (fiber.currentOpCount < fewSteps) return false
    return this.world.random() < this.giveWay ? 1 : false
  }

  /** Runs it now, later or never, as the process stands. */
  admit(run: () => void): void {
    if (this.state === "up") run()
    else if (this.state === "paused") this.held.push(run)
  }

  /** Something happens to the process after so many more steps of its fibers. */
  lightFuse(steps: number, then: () => void): void {
    this.fuse = steps
    this.onFuse = then
  }

  pause(): void {
    if (this.state === "up") this.state = "paused"
  }

  resume(): void {
    if (this.state !== "paused") return
    this.state = "up"
    for (const run of this.held.splice(0)) this.world.post(run, this)
  }

  kill(): void {
    this.state = "dead"
    this.held.length = 0
  }
}

import type { Scheduler } from "effect/Scheduler"

/** A small generator (mulberry32): the same seed gives the same numbers on every machine. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * Runs fibers in an order that the seed decides: whichever waiting task comes next is drawn, and a running
 * fiber is made to give way at drawn moments. The same seed replays the same interleaving.
 */
export class SeededScheduler implements Scheduler {
  private readonly random: () => number
  private readonly tasks: Array<() => void> = []
  private scheduled = false

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  scheduleTask(task: () => void): void {
    this.tasks.push(task)
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => this.drain())
  }

  shouldYield(): number | false {
    return this.random() < 0.05 ? 1 : false
  }

  private drain(): void {
    while (this.tasks.length > 0) {
      const at = Math.floor(this.random() * this.tasks.length)
      const [task] = this.tasks.splice(at, 1)
      task?.()
    }
    this.scheduled = false
  }
}

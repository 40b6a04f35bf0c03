/** Time that passes when the test says so. */
import type { Clock } from "../../src/client/clock.ts"
import { Arrivals } from "./ScriptedServer.ts"

interface Timer {
  readonly at: number
  readonly work: () => void
}

export class ManualClock implements Clock {
  private readonly timers = new Set<Timer>()
  private time = 1_000_000
  /** What `random` answers. */
  chance = 0.5
  /** How long each timer was set for, as they are set. */
  readonly set = new Arrivals<number>()

  readonly now = () => this.time

  readonly random = () => this.chance

  readonly after = (ms: number, work: () => void) => {
    const timer = { at: this.time + ms, work }
    this.timers.add(timer)
    this.set.push(ms)
    return () => {
      this.timers.delete(timer)
    }
  }

  advance(ms: number): void {
    const until = this.time + ms
    for (;;) {
      const due = [...this.timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.timers.delete(due)
      this.time = Math.max(this.time, due.at)
      due.work()
    }
    this.time = until
  }
}

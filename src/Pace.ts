/**
 * How long streamed text may wait, so that more of it is read and leaves at once: not at all while this process is at
 * leisure, and the longer the busier it is. A read or a write of a socket costs more than all else about a token, a trip
 * to Redis as much as two, whatever they carry.
 *
 * Plain code: every token passes here.
 */
import { performance } from "node:perf_hooks"
import * as Context from "effect/Context"

export interface PaceService {
  /** Milliseconds. */
  readonly window: () => number
  /** Calls when the window is over, before the sockets are looked at: all that wait for it together. */
  readonly wait: (then: () => void) => void
}

/** Milliseconds; half of it is what a token waits on average. */
export const longest = 40
/**
 * CPU time over time: up to the one nothing waits, from the other on it waits longest. With 0.6 instead of 0.4, 500 answers of
 * a token every 20 ms took up to a quarter more CPU time a token.
 */
const leisure = 0.15
const busy = 0.4
/** Milliseconds between two looks at the clock of the CPU. */
const often = 100

/** The window for a process that works this share of its time. */
export const windowAt = (share: number): number =>
  Math.round(longest * Math.min(1, Math.max(0, (share - leisure) / (busy - leisure))))

/** Waits in a row that bring nothing until the text is left alone, and for how many pieces. */
const discouraging = 2
const disheartened = 16

/** Of one text: waits where that brings pieces together, and tries it again every now and then where it does not. */
export class Patience {
  private passed = disheartened
  private vain = 0

  /** To be asked for each piece that could wait. */
  mayWait(): boolean {
    this.passed += 1
    return this.passed > disheartened
  }

  /** It has waited, until there were so many pieces. */
  waited(pieces: number): void {
    this.vain = pieces > 1 ? 0 : this.vain + 1
    if (this.vain < discouraging) return
    this.vain = 0
    this.passed = 0
  }
}

/**
 * Not by the event loop's own account: it loses its idle time whenever a paused socket has something to read, so that a
 * window, once there, would grow by itself.
 */
const measured = (): PaceService => {
  let waiting: Array<() => void> = []
  let before = process.cpuUsage()
  let lookedAt = performance.now()
  let millis = 0
  const window = (): number => {
    const now = performance.now()
    if (now - lookedAt < often) return millis
    const current = process.cpuUsage()
    const worked = (current.user + current.system - before.user - before.system) / 1000
    millis = windowAt(worked / (now - lookedAt))
    before = current
    lookedAt = now
    return millis
  }
  const call = (): void => {
    const all = waiting
    waiting = []
    for (const then of all) then()
  }
  return {
    window,
    wait: (then) => {
      waiting.push(then)
      if (waiting.length === 1) setTimeout(call, window())
    }
  }
}

export class Pace extends Context.Reference<Pace>()("colloquy/Pace", {
  defaultValue: measured
}) {}

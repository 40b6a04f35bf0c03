/** Time and chance, as the client uses them: tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** 0 ≤ n < 1. */
  readonly random: () => number
  /** Runs `work` once, later; answers how to call it off. */
  readonly after: (ms: number, work: () => void) => () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  }
}

export interface Backoff {
  readonly baseMs: number
  readonly capMs: number
}

export const defaultBackoff: Backoff = { baseMs: 500, capMs: 30_000 }

/** Exponential with full jitter: clients that lost the same server do not come back in step. */
export const backoffDelay = (backoff: Backoff, attempt: number, random: number): number =>
  Math.round(random * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt, 30)))

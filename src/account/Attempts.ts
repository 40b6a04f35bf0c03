/** Counts attempts per key within a minute, for a bounded number of keys: what guessing passwords is slowed by. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Attempts a minute. */
const limit = 10
const windowMs = 60_000

/** Beyond it the oldest windows are forgotten. */
const maxKeys = 10_000

export interface Attempts {
  /** Counts one; answers 0, or the milliseconds to wait when there were too many. */
  readonly take: (key: string) => Effect.Effect<number>
  readonly clear: (key: string) => Effect.Effect<void>
}

export const makeAttempts: Effect.Effect<Attempts> = Effect.sync(() => {
  const windows = new Map<string, { readonly began: number; readonly count: number }>()
  return {
    take: (key) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const known = windows.get(key)
        const isOpen = known !== undefined && now - known.began < windowMs
        if (isOpen && known.count >= limit) return known.began + windowMs - now
        if (!isOpen) {
          windows.delete(key)
          if (windows.size >= maxKeys) {
            for (const oldest of windows.keys()) {
              windows.delete(oldest)
              break
            }
          }
        }
        windows.set(key, isOpen ? { ...known, count: known.count + 1 } : { began: now, count: 1 })
        return 0
      }),
    clear: (key) =>
      Effect.sync(() => {
        windows.delete(key)
      })
  }
})

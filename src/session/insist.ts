/** What has to be done, however long the database or Redis is away. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { retried } from "../storage/retried.ts"

export const untilDone = Schedule.union(Schedule.exponential("50 millis"), Schedule.spaced("1 second"))

/** Tries until it is done; the log of the server hears of it once. */
export const insist = <A, E>(what: string, effect: Effect.Effect<A, E>): Effect.Effect<A> => {
  let isKnown = false
  const told = Effect.tapError(effect, (error) => {
    if (isKnown) return Effect.void
    isKnown = true
    return Effect.logWarning(`${what} failed, and is tried again until it is done`, error)
  })
  return Effect.orDie(retried(told, untilDone))
}

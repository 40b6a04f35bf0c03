import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { RedisError } from "../../redis/RedisError.ts"
import { retried } from "../../storage/retried.ts"
import type { StorageError } from "../../storage/StorageError.ts"

/** How often what the store refuses to answer is tried again. */
const again = Schedule.union(Schedule.exponential(Duration.millis(50)), Schedule.spaced(Duration.seconds(1)))

/** Tries until it is answered; the log of the server hears of it once. */
export const insist = <A>(effect: Effect.Effect<A, RedisError | StorageError>): Effect.Effect<A> => {
  let isKnown = false
  const told = effect.pipe(
    Effect.tapError((error) => {
      if (isKnown) return Effect.void
      isKnown = true
      return Effect.logWarning("a store that sessions need does not answer", error.cause)
    })
  )
  return Effect.orDie(retried(told, again))
}

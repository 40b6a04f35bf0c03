/**
 * `Effect.retry` for what nearly always succeeds at once: a retry sets up its schedule before the first try, which
 * takes 25 steps of the interpreter, and a question passes five of them.
 */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"

export const retried = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  schedule: Schedule.Schedule<unknown, E>,
  isWorthIt: (error: E) => boolean = () => true
): Effect.Effect<A, E, R> =>
  Effect.catchAll(effect, (error) => {
    if (!isWorthIt(error)) return Effect.fail(error)
    let isFirst = true
    // The try that has failed counts: the schedule's first pause comes before the second one.
    const next = Effect.suspend((): Effect.Effect<A, E, R> => {
      if (!isFirst) return effect
      isFirst = false
      return Effect.fail(error)
    })
    return Effect.retry(next, { schedule, while: isWorthIt })
  })

/**
 * Work that is done when it is first needed and then kept: once however many ask meanwhile. A failure is not
 * kept. Who stops waiting does not stop the work for the others.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"

export const keptOnce = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<Effect.Effect<A, E>> =>
  Effect.sync(() => {
    let kept: Deferred.Deferred<A, E> | null = null
    return Effect.uninterruptibleMask((restore) => {
      if (kept !== null) return restore(Deferred.await(kept))
      const mine = Deferred.unsafeMake<A, E>(FiberId.none)
      kept = mine
      return Effect.interruptible(work).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isFailure(exit)) kept = null
          })
        ),
        Effect.intoDeferred(mine),
        Effect.forkDaemon,
        Effect.zipRight(restore(Deferred.await(mine)))
      )
    })
  })

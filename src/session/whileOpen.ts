/**
 * Does something now and undoes it when the scope closes. Effect's `acquireRelease` keeps all fiber refs of the
 * fiber that acquired, for the release to run under; for the few of these that every idle socket holds, that
 * was a third of what the socket costs.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

export const whileOpen = <A>(
  acquire: Effect.Effect<A>,
  release: (acquired: A) => Effect.Effect<unknown>
): Effect.Effect<A, never, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.flatMap(Effect.scope, (scope) =>
      Effect.tap(acquire, (acquired) => Scope.addFinalizer(scope, release(acquired)))
    )
  )

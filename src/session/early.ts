/**
 * What is needed later begins now, where stores are elsewhere: what does not depend on each other need not be waited for
 * one after the other. Not for every question of a crowd: there it costs a fiber, and keeps the answer until somebody wants it.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

const awaited = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<A, E> => Effect.flatten(Fiber.await(fiber))

/** Answers the effect's result, which it comes to while this fiber lives. */
export const early = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Effect.Effect<A, E>> =>
  Effect.map(Effect.fork(effect), awaited)

/** The same for whoever lives in that scope. */
export const earlyIn = <A, E>(
  scope: Scope.Scope,
  effect: Effect.Effect<A, E>
): Effect.Effect<Effect.Effect<A, E>> =>
  Effect.map(Effect.forkIn(Effect.interruptible(effect), scope), awaited)

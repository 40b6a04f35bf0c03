/**
 * Which nodes live. Each says so every quarter of `leaseTime`; one that has been silent for all of it has lost whatever it
 * held: others may take it over.
 *
 * Silence counts only while this node itself heard from the store all the time: after an outage of the store,
 * or a pause of this process, everybody gets that time anew.
 *
 * What was heard last is as old as the last beat. A node that has come since, or come back, is not known by it: before
 * anything is taken from a node the store is asked once more, and before a node takes anything it has said that it lives.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { RedisError } from "../../redis/RedisError.ts"
import type { LogStoreService } from "./LogStore.ts"

export interface Beating {
  /** Whether a run of that owner is nobody's any more. Where the store does not answer, nobody is dead. */
  readonly isDead: (owner: string) => Effect.Effect<boolean>
  /** The same, as far as was heard at the last beat. One that has come since seems dead, too. */
  readonly seemsDead: (owner: string) => boolean
  /** Has the others know that this node lives: to be done before it claims anything. */
  readonly present: Effect.Effect<void, RedisError>
}

export const beating = (store: LogStoreService, self: string, leaseTime: Duration.Duration) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const time = Duration.toMillis(leaseTime)
    const period = time / 4
    const beats = new Map<string, { readonly count: number; readonly at: number }>()
    /** Since when the store has answered without a break, and when it did last. */
    let answersSince = 0
    let answeredAt = Number.NEGATIVE_INFINITY
    /** Beats that have begun; the last of those that have ended, and how. */
    let begun = 0
    let ended = 0
    let outcome: Effect.Effect<void, RedisError> = Effect.void

    const isSteady = (now: number) => now - answeredAt <= period * 1.5

    const take = (counts: ReadonlyMap<string, number>) => {
      const now = clock.unsafeCurrentTimeMillis()
      // A store that does not know this node any more has lost all others too: they have yet to say that they live.
      if (!isSteady(now) || !counts.has(self)) answersSince = now
      answeredAt = now
      for (const [node, count] of counts) {
        if (beats.get(node)?.count !== count) beats.set(node, { count, at: now })
      }
      for (const node of beats.keys()) if (!counts.has(node)) beats.delete(node)
    }

    const beat = Effect.suspend(() => {
      begun += 1
      const number = begun
      const end = (how: Effect.Effect<void, RedisError>) =>
        Effect.sync(() => {
          if (number < ended) return
          ended = number
          outcome = how
        })
      return Effect.tapBoth(Effect.map(store.beat(self), take), {
        onSuccess: () => end(Effect.void),
        onFailure: (error) => end(Effect.fail(error))
      })
    })

    yield* Effect.addFinalizer(() => Effect.ignore(store.leave(self)))
    yield* beat.pipe(
      Effect.catchAll((error) => Effect.logDebug("no beat", error.cause)),
      Effect.repeat(Schedule.spaced(Duration.millis(period))),
      Effect.forkScoped
    )

    // Whoever has waited is content with a beat that has begun meanwhile, however it ended.
    const oneAtATime = yield* Effect.makeSemaphore(1)
    const heardAnew = Effect.suspend(() => {
      const before = begun
      return oneAtATime.withPermits(1)(Effect.suspend(() => (ended > before ? outcome : beat)))
    })

    const seemsDead = (owner: string) => {
      const now = clock.unsafeCurrentTimeMillis()
      if (owner === self || owner === "" || !isSteady(now)) return false
      return now - Math.max(beats.get(owner)?.at ?? answersSince, answersSince) > time
    }

    const service: Beating = {
      seemsDead,
      isDead: (owner) => {
        const seems = Effect.sync(() => seemsDead(owner))
        return Effect.if(seems, {
          onTrue: () => Effect.zipRight(heardAnew, seems),
          onFalse: () => seems
        }).pipe(Effect.catchAll((error) => Effect.as(Effect.logDebug("no beat", error.cause), false)))
      },
      present: Effect.suspend(() =>
        clock.unsafeCurrentTimeMillis() - answeredAt <= time / 2 ? Effect.void : heardAnew
      )
    }
    return service
  })

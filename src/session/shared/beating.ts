/**
 * Which nodes live. Each says so every quarter of `leaseTime`; one that has been silent for all of it has lost whatever it
 * held: others may take it over.
 *
 * Silence counts only while this node itself heard from the store all the time: after an outage of the store,
 * or a pause of this process, everybody gets that time anew.
 *
 * What was heard last is as old as the last beat. A node that has come since, or come back, is not known by it: before
 * anything is taken from a node the store is asked once more, and before a node takes anything it has said that it lives.
 *
 * A beat is answered with the silent nodes and with how many there are. All names are told where that number does not fit, or a
 * node seems dead: were they told to each node every time, they would be most of what a large cluster says.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { RedisError } from "../../redis/RedisError.ts"
import type { LogStoreService, Roll } from "./LogStore.ts"

/** Where one node has come for another one that has left, the number fits: so all names are asked for now and then. */
const allEvery = 16

export interface Beating {
  /** Whether a run of that owner is nobody's any more. Where the store does not answer, nobody is dead. */
  readonly isDead: (owner: string) => Effect.Effect<boolean>
  /** The same, as far as was heard at the last beat. One that has come since seems dead, too. */
  readonly seemsDead: (owner: string) => boolean
  /** How many nodes live, as far as was heard: this one, at least. */
  readonly living: () => number
  /** Has the others know that this node lives: to be done before it claims anything. */
  readonly present: Effect.Effect<void, RedisError>
}

export const beating = (
  store: Pick<LogStoreService, "beat" | "leave">,
  self: string,
  leaseTime: Duration.Duration
) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const time = Duration.toMillis(leaseTime)
    const period = time / 4
    /** When each node was last known to live. */
    const heardAt = new Map<string, number>()
    let living = 1
    let beats = 0
    /** Since when the store has answered without a break, and when it did last. */
    let answersSince = 0
    let answeredAt = Number.NEGATIVE_INFINITY
    /** Beats for all names that have begun; the last of those that have ended, and how. */
    let begun = 0
    let ended = 0
    let outcome: Effect.Effect<void, RedisError> = Effect.void

    const isSteady = (now: number) => now - answeredAt <= period * 1.5

    const take = ({ wasKnown, count, silent, all }: Roll) => {
      const now = clock.unsafeCurrentTimeMillis()
      // A store that does not know this node any more has lost all others too: they have yet to say that they live.
      if (!isSteady(now) || !wasKnown) answersSince = now
      answeredAt = now
      if (all !== null) {
        const listed = new Set(all)
        for (const node of heardAt.keys()) if (!listed.has(node)) heardAt.delete(node)
      }
      const quiet = new Set(silent)
      living = 0
      for (const node of all ?? [...heardAt.keys()]) {
        const speaks = !quiet.has(node)
        if (speaks) living += 1
        if (speaks || !heardAt.has(node)) heardAt.set(node, now)
      }
      return heardAt.size === count
    }
    const say = (all: boolean) => Effect.map(store.beat(self, { silentFor: period * 1.25, all }), take)

    const beatForAll = Effect.suspend(() => {
      begun += 1
      const number = begun
      const end = (how: Effect.Effect<void, RedisError>) =>
        Effect.sync(() => {
          if (number < ended) return
          ended = number
          outcome = how
        })
      return Effect.tapBoth(Effect.asVoid(say(true)), {
        onSuccess: () => end(Effect.void),
        onFailure: (error) => end(Effect.fail(error))
      })
    })
    const beat = Effect.suspend(() => {
      beats += 1
      if (beats % allEvery === 0) return beatForAll
      return Effect.flatMap(say(false), (fits) => (fits ? Effect.void : beatForAll))
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
      return oneAtATime.withPermits(1)(Effect.suspend(() => (ended > before ? outcome : beatForAll)))
    })

    const seemsDead = (owner: string) => {
      const now = clock.unsafeCurrentTimeMillis()
      if (owner === self || owner === "" || !isSteady(now)) return false
      return now - Math.max(heardAt.get(owner) ?? answersSince, answersSince) > time
    }

    const service: Beating = {
      seemsDead,
      living: () => Math.max(living, 1),
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

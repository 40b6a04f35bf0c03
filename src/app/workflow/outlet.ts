/**
 * Lets many fibers tell one stream. Telling is done when the event has been taken and what follows it may
 * come: so text that goes past the stream, to the sink, keeps its place after the events told before it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

interface Item<A, E> {
  /** Its failure is the stream's end, or the stream's failure. */
  readonly event: Exit.Exit<A, E | null>
  readonly taken: Deferred.Deferred<void>
}

/** Runs `work` in the background of the stream of what it tells. Ending the stream early interrupts it. */
export const telling = <A, E, R>(
  work: (tell: (event: A) => Effect.Effect<void>) => Effect.Effect<void, E, R>
): Stream.Stream<A, E, R> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<Item<A, E>>()
      const put = (event: Exit.Exit<A, E | null>) =>
        Effect.flatMap(Deferred.make<void>(), (taken) =>
          Effect.zipRight(Queue.offer(queue, { event, taken }), Deferred.await(taken))
        )
      yield* work((event) => put(Exit.succeed(event))).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => put(Exit.failCause(cause)),
          onSuccess: () => put(Exit.fail(null))
        }),
        Effect.forkScoped
      )
      return pulled(queue)
    })
  )

const pulled = <A, E>(queue: Queue.Dequeue<Item<A, E>>): Stream.Stream<A, E> =>
  Stream.suspend(() => {
    let last: Deferred.Deferred<void> | null = null
    const pull = Effect.gen(function* () {
      if (last !== null) yield* Deferred.succeed(last, undefined)
      const { event, taken } = yield* Queue.take(queue)
      last = taken
      return yield* event
    })
    return Stream.repeatEffectOption(
      Effect.mapError(pull, (error) => (error === null ? Option.none() : Option.some(error)))
    )
  })

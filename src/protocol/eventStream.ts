/**
 * Streams of events as runs make and read them. Any Stream is read; those that are made here are read without an
 * executor, because nearly every run is an effect that comes to a stream that comes to one event, and an executor is set
 * up and closed for it: 770 steps of Effect's interpreter with `Stream.unwrap` and `Stream.runForEach`, 213 with an
 * executor of one layer, 30 without. A question takes 300 steps in all.
 */
import * as Channel from "effect/Channel"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** How a stream that was made here is read directly. */
const origin: unique symbol = Symbol("colloquy/origin")

interface Later<A, E, R> extends Stream.Stream<A, E, R> {
  readonly [origin]: Effect.Effect<Stream.Stream<A, E, R>, E, R>
}

interface These<A> extends Stream.Stream<A> {
  readonly [origin]: ReadonlyArray<A>
}

const isMade = <A, E, R>(events: Stream.Stream<A, E, R>): events is Later<A, E, R> | These<A> =>
  origin in events

/** The events of the stream that the effect comes to. */
export const unwrapped = <A, E, R, E2, R2>(
  effect: Effect.Effect<Stream.Stream<A, E, R>, E2, R2>
): Stream.Stream<A, E | E2, R | R2> => {
  const events: Stream.Stream<A, E | E2, R | R2> = Stream.fromChannel(
    Channel.unwrap(Effect.map(effect, Stream.toChannel))
  )
  const made: Later<A, E | E2, R | R2> = Object.assign(events, { [origin]: effect })
  return made
}

/** Events that are known already. */
export const these = <A>(events: ReadonlyArray<A>): Stream.Stream<A> => {
  const made: These<A> = Object.assign(Stream.fromIterable(events), { [origin]: events })
  return made
}

/** Hands each event on as it comes, one at a time; done when the stream is. */
export const forEachEvent = <A, E, R, E2, R2>(
  events: Stream.Stream<A, E, R>,
  on: (event: A) => Effect.Effect<void, E2, R2>
): Effect.Effect<void, E | E2, R | R2> => {
  if (!isMade(events)) return pulled(events, on)
  const from = events[origin]
  if (Effect.isEffect(from)) return Effect.flatMap(from, (those) => forEachEvent(those, on))
  const [first] = from
  return first !== undefined && from.length === 1 ? on(first) : Effect.forEach(from, on, { discard: true })
}

const pulled = <A, E, R, E2, R2>(
  events: Stream.Stream<A, E, R>,
  on: (event: A) => Effect.Effect<void, E2, R2>
): Effect.Effect<void, E | E2, R | R2> => {
  const taken = (chunk: Chunk.Chunk<A>) =>
    Effect.mapError(Effect.forEach(chunk, on, { discard: true }), Option.some<E | E2>)
  return Stream.toPull(events).pipe(
    Effect.flatMap((pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<E | E2>, R>) =>
      Effect.forever(Effect.flatMap(pull, taken))
    ),
    Effect.catchAll((end) => (Option.isNone(end) ? Effect.void : Effect.fail(end.value))),
    Effect.scoped
  )
}

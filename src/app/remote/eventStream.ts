/**
 * One POST whose answer is a stream of server-sent events, pulled: what nobody asks for stays in the socket.
 * Leaving the stream, by its end, a failure or an interruption, closes the socket at once.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { openCall, type Post } from "./call.ts"
import type { Trouble } from "./words.ts"

/** However slowly it trickles. */
const longestAnswer = Duration.minutes(30)

/** The data of the events, as many at once as have come. */
export const eventStream = (post: Post, seconds: number): Stream.Stream<ReadonlyArray<string>, Trouble> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const call = yield* openCall(post)
      const begun = yield* Clock.currentTimeMillis
      yield* within(seconds, "first byte")(call.head)
      const pull = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now - begun > Duration.toMillis(longestAnswer)) {
          return yield* Effect.fail<Trouble>({ _tag: "Malformed", what: tooLong })
        }
        return yield* within(seconds, "next chunk")(call.next)
      })
      return Stream.repeatEffectOption(
        pull.pipe(
          Effect.mapError(Option.some),
          Effect.flatMap((events) => (events === null ? Effect.fail(Option.none()) : Effect.succeed(events)))
        )
      )
    })
  )

const tooLong = `an answer that did not end within ${Duration.format(longestAnswer)}`

const within =
  (seconds: number, waitingFor: "first byte" | "next chunk") =>
  <A>(effect: Effect.Effect<A, Trouble>): Effect.Effect<A, Trouble> =>
    Effect.timeoutFail(effect, {
      duration: Duration.seconds(seconds),
      onTimeout: (): Trouble => ({ _tag: "Timeout", waitingFor })
    })

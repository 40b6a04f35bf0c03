/**
 * Every open event stream of this node, and the one clock that looks after them: heartbeats, expired tokens,
 * clients that do not read, and the end of the server.
 *
 * Where this node is alone, streams last until all runs are drained, as sockets do; where there are others, each
 * leaves for them at a moment of its own as soon as this node drains.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { Settings } from "../config.ts"
import { TokenExpired, tell } from "../protocol/errors.ts"
import { SessionControl } from "../session/SessionControl.ts"
import { type EventFeed, eventOf } from "./EventFeed.ts"

/** In seconds. */
export interface Patience {
  readonly beatEvery: number
  /** A stream whose client takes nothing for this long is cut; it can resume. */
  readonly stall: number
}

/** Until whoever spreads connections over nodes has seen that this one takes no more. */
const notice = Duration.seconds(1)

/** All streams have left for other nodes after this. */
const longestMove = Duration.seconds(15)

/** How long the last words may take. */
const parting = "5 seconds"

/** Browsers come back by themselves, after `retry`. */
export const reconnect = (afterMs: number): string =>
  `retry: ${afterMs}\n${eventOf("reconnect", { after_ms: afterMs })}`

const expired = (): string => {
  const { status_code, status_message, data } = tell(new TokenExpired())
  return eventOf("error", { status_code, status_message, data })
}

const soon = Random.nextIntBetween(500, 1500)

export interface EventFeedsService {
  /** Takes a place, until the scope closes. false: there is none. */
  readonly admit: Effect.Effect<boolean, never, Scope.Scope>
  /** Looked after until the scope closes. */
  readonly join: (feed: EventFeed) => Effect.Effect<void, never, Scope.Scope>
}

export class EventFeeds extends Context.Tag("colloquy/http/EventFeeds")<EventFeeds, EventFeedsService>() {
  static readonly layer = (patience: Patience) =>
    Layer.scoped(
      EventFeeds,
      Effect.gen(function* () {
        const { maxConnections, drainTimeout, redisUrl } = yield* Settings
        const control = yield* SessionControl
        const isAlone = Option.isNone(redisUrl)
        const longest = Duration.min(Duration.times(drainTimeout, 0.5), longestMove)
        const spread = Math.max(1, Duration.toMillis(longest) - Duration.toMillis(notice))
        /** With the moment at which each is to leave, once that is known. */
        const feeds = new Map<EventFeed, number>()
        let places = maxConnections
        let seconds = 0

        const leave = (feed: EventFeed) => Effect.map(soon, (afterMs) => feed.end(reconnect(afterMs)))

        const move = (feed: EventFeed, now: number) =>
          Effect.gen(function* () {
            const due = feeds.get(feed) ?? Number.POSITIVE_INFINITY
            if (due <= now) return yield* leave(feed)
            if (Number.isFinite(due)) return
            const after = Duration.toMillis(notice) + (yield* Random.nextIntBetween(0, spread))
            feeds.set(feed, now + after)
          })

        const look = Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const moves = !isAlone && (yield* control.draining)
          seconds += 1
          for (const feed of feeds.keys()) {
            if (feed.expiresAt !== null && feed.expiresAt <= now) feed.end(expired())
            feed.checkStall(patience.stall)
            if (seconds % patience.beatEvery === 0) feed.beat()
            if (moves) yield* move(feed, now)
          }
        })
        yield* look.pipe(Effect.schedule(Schedule.spaced("1 second")), Effect.forkScoped)

        yield* Effect.addFinalizer(() =>
          Effect.gen(function* () {
            yield* Effect.forEach(feeds.keys(), leave, { discard: true })
            yield* Effect.sync(() => feeds.size === 0).pipe(
              Effect.repeat({ until: (gone) => gone, schedule: Schedule.spaced("20 millis") }),
              Effect.interruptible,
              Effect.timeoutOption(parting)
            )
          })
        )

        return {
          admit: Effect.acquireRelease(
            Effect.sync(() => {
              if (places === 0) return false
              places -= 1
              return true
            }),
            (isIn) =>
              Effect.sync(() => {
                if (isIn) places += 1
              })
          ),
          join: (feed) =>
            Effect.acquireRelease(
              Effect.sync(() => feeds.set(feed, Number.POSITIVE_INFINITY)),
              () => Effect.sync(() => feeds.delete(feed))
            )
        }
      })
    )

  static readonly Live = EventFeeds.layer({ beatEvery: 15, stall: 60 })
}

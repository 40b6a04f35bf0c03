/**
 * Every open socket of this node, and the one clock that looks after them: heartbeats, expired tokens, peers
 * that do not read. One timer for all: a timer a socket costs more than the socket.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { type ProtocolError, TokenExpired } from "../protocol/errors.ts"
import type { Peer } from "./Peer.ts"

/** In seconds. */
export interface Patience {
  /** A socket that does not answer a ping until the next one is dead. */
  readonly pingEvery: number
  /** A socket that takes nothing for this long is closed; it can resume. */
  readonly stall: number
}

/** Until whoever spreads connections over nodes has seen that this one takes no more. */
const noticed = Duration.seconds(1)

export interface PeersService {
  /** Looked after until it leaves. */
  readonly join: (peer: Peer) => void
  readonly leave: (peer: Peer) => void
  readonly count: () => number
  /**
   * Tells the sockets that understand it to come back, each at a moment of its own within this time; waits
   * until they have gone, or the time is over.
   */
  readonly askToMove: (within: Duration.Duration) => Effect.Effect<void>
  readonly endAll: (error: ProtocolError) => Effect.Effect<void>
}

export class Peers extends Context.Tag("colloquy/Peers")<Peers, PeersService>() {
  static readonly layer = (patience: Patience) =>
    Layer.scoped(
      Peers,
      Effect.gen(function* () {
        /** By the second of the interval at which they are pinged: all at once they would hold up everybody. */
        const seats = Array.from({ length: patience.pingEvery }, () => new Set<Peer>())
        const seatOf = new Map<Peer, Set<Peer>>()
        /** Those that have not taken what they were sent. */
        const slow = new Set<Peer>()
        let joined = 0
        let seconds = 0
        /** When the first token expires, or earlier. */
        let soonest = Number.POSITIVE_INFINITY

        const notice = (peer: Peer) => {
          slow.add(peer)
        }

        /** Of thousands of idle sockets a second touches those whose turn it is. */
        const look = Effect.map(Clock.currentTimeMillis, (now) => {
          seconds += 1
          if (soonest <= now) endExpired(now)
          for (const peer of slow) if (!peer.isStillSlow(patience.stall)) slow.delete(peer)
          for (const peer of seats[seconds % patience.pingEvery] ?? []) peer.beat()
        })

        const endExpired = (now: number) => {
          soonest = Number.POSITIVE_INFINITY
          for (const peer of seatOf.keys()) {
            const { expiresAt } = peer.identity
            if (expiresAt === null) continue
            if (expiresAt <= now) peer.end(new TokenExpired())
            else soonest = Math.min(soonest, expiresAt)
          }
        }

        yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("1 second")))
        return {
          join: (peer) => {
            joined += 1
            const seat = seats[joined % patience.pingEvery] ?? new Set()
            seat.add(peer)
            seatOf.set(peer, seat)
            soonest = Math.min(soonest, peer.identity.expiresAt ?? soonest)
            peer.onSlow = notice
          },
          leave: (peer) => {
            seatOf.get(peer)?.delete(peer)
            seatOf.delete(peer)
            slow.delete(peer)
          },
          count: () => seatOf.size,
          askToMove: (within) =>
            Effect.gen(function* () {
              const native = () => [...seatOf.keys()].filter(({ identity }) => identity.native)
              const spread = Math.max(0, Duration.toMillis(within) - Duration.toMillis(noticed))
              for (const peer of native()) {
                const after = Duration.toMillis(noticed) + (yield* Random.nextIntBetween(0, spread + 1))
                peer.askToMove(after)
              }
              yield* Effect.sync(() => native().length === 0).pipe(
                Effect.repeat({ until: (gone) => gone, schedule: Schedule.spaced("50 millis") }),
                Effect.timeoutOption(within)
              )
            }).pipe(Effect.interruptible, Effect.asVoid),
          endAll: (error) =>
            Effect.sync(() => {
              for (const peer of seatOf.keys()) peer.end(error)
            })
        }
      })
    )

  static readonly Live = Peers.layer({ pingEvery: 30, stall: 60 })
}

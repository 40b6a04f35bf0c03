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
const notice = Duration.seconds(1)

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
        /** With the second of the interval at which each is pinged: all at once they would hold up everybody. */
        const peers = new Map<Peer, number>()
        let joined = 0
        let seconds = 0
        const look = Effect.map(Clock.currentTimeMillis, (now) => {
          seconds += 1
          for (const [peer, second] of peers) {
            const { expiresAt } = peer.identity
            if (expiresAt !== null && expiresAt <= now) peer.end(new TokenExpired())
            peer.checkStall(patience.stall)
            if (seconds % patience.pingEvery === second) peer.beat()
          }
        })
        yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("1 second")))
        return {
          join: (peer) => {
            joined += 1
            peers.set(peer, joined % patience.pingEvery)
          },
          leave: (peer) => {
            peers.delete(peer)
          },
          count: () => peers.size,
          askToMove: (within) =>
            Effect.gen(function* () {
              const native = () => [...peers.keys()].filter(({ identity }) => identity.native)
              const spread = Math.max(0, Duration.toMillis(within) - Duration.toMillis(notice))
              for (const peer of native()) {
                const after = Duration.toMillis(notice) + (yield* Random.nextIntBetween(0, spread + 1))
                peer.askToMove(after)
              }
              yield* Effect.sync(() => native().length === 0).pipe(
                Effect.repeat({ until: (gone) => gone, schedule: Schedule.spaced("50 millis") }),
                Effect.timeoutOption(within)
              )
            }).pipe(Effect.interruptible, Effect.asVoid),
          endAll: (error) =>
            Effect.sync(() => {
              for (const peer of peers.keys()) peer.end(error)
            })
        }
      })
    )

  static readonly Live = Peers.layer({ pingEvery: 30, stall: 60 })
}

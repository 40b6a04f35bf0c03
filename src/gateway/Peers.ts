/**
 * Every open socket of this node, and the one clock that looks after them: heartbeats, expired tokens, peers
 * that do not read. One timer for all: a timer a socket costs more than the socket.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type ProtocolError, TokenExpired } from "../protocol/errors.ts"
import type { Peer } from "./Peer.ts"

/** Seconds between looks. */
const period = 1
/** A socket that does not answer a ping until the next one is dead. */
const pingEvery = 30
/** A socket that takes nothing for this long is closed; it can resume. */
const stallLimit = 60

export interface PeersService {
  /** Looked after until the scope closes. */
  readonly join: (peer: Peer) => Effect.Effect<void, never, Scope.Scope>
  readonly count: () => number
  readonly endAll: (error: ProtocolError) => Effect.Effect<void>
}

export class Peers extends Context.Tag("colloquy/Peers")<Peers, PeersService>() {
  static readonly Live = Layer.scoped(
    Peers,
    Effect.gen(function* () {
      const peers = new Set<Peer>()
      let ticks = 0
      const look = Effect.map(Clock.currentTimeMillis, (now) => {
        ticks += 1
        for (const peer of peers) {
          const { expiresAt } = peer.identity
          if (expiresAt !== null && expiresAt <= now) peer.end(new TokenExpired())
          peer.checkStall(stallLimit / period)
          if (ticks % (pingEvery / period) === 0) peer.beat()
        }
      })
      yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(`${period} seconds`)))
      return {
        join: (peer) =>
          Effect.acquireRelease(
            Effect.sync(() => peers.add(peer)),
            () => Effect.sync(() => peers.delete(peer))
          ),
        count: () => peers.size,
        endAll: (error) =>
          Effect.sync(() => {
            for (const peer of peers) peer.end(error)
          })
      }
    })
  )
}

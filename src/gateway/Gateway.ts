/**
 * The front door for sockets: takes the `upgrade` event of Node's HTTP server, lets in who may come in, and
 * gives each socket a scoped fiber of its own.
 *
 * The transport is ours because the platform's own upgrade path has no limits and costs several times the
 * frame (docs/architecture.md, "The front door").
 */
import type { IncomingMessage, Server } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { WebSocket, WebSocketServer } from "ws"
import { Tokens } from "../account/Tokens.ts"
import { Settings } from "../config.ts"
import { Draining, FrameTooLarge, tell } from "../protocol/errors.ts"
import { Actions } from "../run/Actions.ts"
import { SessionControl } from "../session/SessionControl.ts"
import { Arrival, type Door } from "./Arrival.ts"
import { makeOpenSession } from "./openSession.ts"
import { Peer } from "./Peer.ts"
import { Peers } from "./Peers.ts"

/** How long a peer may take to answer our close frame, in milliseconds. */
const closeTimeout = 5_000

/** `ws` closes with 1009 without words; the table has words for it. */
class WordedSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    const words = code === 1009 ? (tell(new FrameTooLarge()).close?.reason ?? reason) : reason
    super.close(code, words)
  }
}

/** A reset before the 101 must not bring the process down. One listener for all sockets. */
function destroyed(this: Duplex): void {
  this.destroy()
}

/** What is written in the turn of the handshake leaves with the 101, as one write: a write to the kernel is 40 µs. */
const uncork = (socket: Socket): void => socket.uncork()

/** After the outbox, which hands its frames to the socket in a tick that is asked for later than this one. */
const uncorkNext = (socket: Socket): void => process.nextTick(uncork, socket)

/** Serves sockets on `server` until the scope closes: then no more come in, and all are told to come back. */
export const serveSockets = (server: Server) =>
  Effect.gen(function* () {
    const settings = yield* Settings
    const peers = yield* Peers
    const control = yield* SessionControl
    // A variable, because the published types of `ws` do not know `closeTimeout` yet.
    const limits = {
      noServer: true,
      maxPayload: settings.maxFrameBytes,
      maxFragments: 64,
      maxBufferedChunks: 4096,
      perMessageDeflate: false,
      clientTracking: false,
      handleProtocols: (): false => false,
      closeTimeout,
      WebSocket: WordedSocket
    }
    const sockets = new WebSocketServer(limits)
    const connections = yield* FiberSet.make<void, never>()
    /** Sockets from their request to their end. */
    let present = 0
    const left = () => {
      present -= 1
    }

    const upgrade: Door["upgrade"] = ({ request, socket, head }, identity) => {
      let peer: Peer | null = null
      socket.cork()
      process.nextTick(uncorkNext, socket)
      // At once, or never where the request is not a handshake: then it has been answered and ended.
      sockets.handleUpgrade(request, socket, head, (ws) => {
        peer = new Peer(ws, socket, identity, settings.socketBufferBytes)
      })
      return peer
    }

    const door: Door = {
      tokens: yield* Tokens,
      allowedOrigins: settings.allowedOrigins,
      actions: yield* Actions,
      openSession: yield* makeOpenSession,
      // Asked in a connection's first step, before it counts itself.
      isFull: () => present >= settings.maxConnections,
      draining: control.draining,
      upgrade,
      peers
    }

    // Fibers of sockets get no services, because every scope that they enter would copy them.
    const fork = yield* FiberSet.runtime(connections)<never>().pipe(
      Effect.mapInputContext((_: Context.Context<never>) => Context.empty())
    )

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
          socket.on("error", destroyed)
          if (!(socket instanceof Socket)) return socket.destroy()
          const fiber = fork(new Arrival(door, { request, socket, head }).life)
          present += 1
          fiber.addObserver(left)
        }
        server.on("upgrade", onUpgrade)
        return onUpgrade
      }),
      (onUpgrade) =>
        Effect.gen(function* () {
          server.off("upgrade", onUpgrade)
          yield* peers.endAll(new Draining())
          yield* FiberSet.awaitEmpty(connections).pipe(
            Effect.interruptible,
            Effect.timeoutOption(closeTimeout)
          )
        })
    )
  })

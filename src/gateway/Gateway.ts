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
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import { WebSocket, WebSocketServer } from "ws"
import { Settings } from "../config.ts"
import { type AppError, Draining, FrameTooLarge, tell } from "../protocol/errors.ts"
import { loggedDefect } from "../run/recorder.ts"
import type { Session } from "../session/Session.ts"
import { SessionControl } from "../session/SessionControl.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { runConnection } from "./Connection.ts"
import { Refused, readHandshake } from "./handshake.ts"
import { openSession } from "./openSession.ts"
import { Peer, type PeerIdentity } from "./Peer.ts"
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

const httpAnswer = ({ status, text, retryAfterSeconds }: Refused): string => {
  const body = JSON.stringify({ status_code: status, status_message: text, data: null })
  return [
    `HTTP/1.1 ${status} ${phrases[status]}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${retryAfterSeconds}`]),
    "",
    body
  ].join("\r\n")
}

const phrases = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable"
} as const

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

    const admit = Effect.gen(function* () {
      // Asked in a connection's first step, before its own fiber counts.
      const full = (yield* FiberSet.size(connections)) >= settings.maxConnections
      if (full || (yield* control.draining)) {
        return yield* new Refused({
          status: 503,
          text: full ? "too many connections; try again soon" : "the server restarts; reconnect",
          retryAfterSeconds: 2
        })
      }
    })

    /** The 101, and the peer's listeners in the same turn, so that no message can slip by. */
    const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer, identity: PeerIdentity) =>
      Effect.async<Peer>((resume) => {
        if (socket.destroyed) return resume(Effect.interrupt)
        socket.once("close", () => resume(Effect.interrupt))
        sockets.handleUpgrade(request, socket, head, (ws) => {
          resume(Effect.succeed(new Peer(ws, socket, identity, settings.socketBufferBytes)))
        })
      })

    const welcome = (request: IncomingMessage, socket: Socket, head: Buffer) =>
      Effect.gen(function* () {
        yield* admit
        const { address, wanted, resume, identity } = yield* readHandshake(request)
        const session = yield* openSession(address, wanted, identity.userId).pipe(
          Effect.catchTag("NotYours", (error) =>
            Effect.fail(new Refused({ status: 403, text: tell(error).status_message }))
          ),
          // What else is wrong is told on the socket, with a close code that a browser can read.
          Effect.map(Either.right),
          Effect.catchAll(
            (error): Effect.Effect<Either.Either<Session, AppError | StorageError>, Refused> =>
              error instanceof Refused ? Effect.fail(error) : Effect.succeed(Either.left(error))
          )
        )
        const peer = yield* upgrade(request, socket, head, identity)
        yield* peers.join(peer)
        yield* runConnection(peer, { address, resume, session })
      }).pipe(
        Effect.scoped,
        Effect.catchTag("Refused", (refused) => Effect.sync(() => socket.end(httpAnswer(refused)))),
        Effect.catchAllCause((cause) =>
          Effect.zipRight(
            Cause.isInterruptedOnly(cause) ? Effect.void : loggedDefect("upgrade", cause),
            Effect.sync(() => socket.destroy())
          )
        ),
        Effect.asVoid
      )

    const fork = yield* FiberSet.runtime(connections)<Effect.Effect.Context<ReturnType<typeof welcome>>>()

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
          // A reset before the 101 must not bring the process down.
          socket.on("error", () => socket.destroy())
          if (socket instanceof Socket) fork(welcome(request, socket, head))
          else socket.destroy()
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

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
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Scope from "effect/Scope"
import { WebSocket, WebSocketServer } from "ws"
import { Tokens } from "../account/Tokens.ts"
import { Catalogue } from "../app/Catalogue.ts"
import { Settings } from "../config.ts"
import { Draining, FrameTooLarge, Leaving, tell } from "../protocol/errors.ts"
import { Actions } from "../run/Actions.ts"
import { loggedDefect } from "../run/recorder.ts"
import { Hub } from "../session/Hub.ts"
import { SessionControl } from "../session/SessionControl.ts"
import { type Opening, runConnection } from "./Connection.ts"
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

/** The services that a connection uses. */
const served = [Hub, Catalogue, Actions, Tokens, Settings] as const
type Served = Context.Tag.Identifier<(typeof served)[number]>

/** A reset before the 101 must not bring the process down. One listener for all sockets. */
function destroyed(this: Duplex): void {
  this.destroy()
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
      if ((yield* FiberSet.size(connections)) < settings.maxConnections) return
      return yield* new Refused({
        status: 503,
        text: "too many connections; try again soon",
        retryAfterSeconds: 2
      })
    })

    /** A browser cannot read why a handshake was refused, so who comes too late is let in and told. */
    const open = (...asked: Parameters<typeof openSession>) =>
      Effect.gen(function* () {
        if (yield* control.draining) return yield* new Leaving()
        return yield* openSession(...asked)
      })

    /** The 101, and the peer's listeners in the same turn, so that no message can slip by. */
    const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer, identity: PeerIdentity) =>
      Effect.async<Peer>((resume) => {
        if (socket.destroyed) return resume(Effect.interrupt)
        const onClose = () => resume(Effect.interrupt)
        socket.once("close", onClose)
        sockets.handleUpgrade(request, socket, head, (ws) => {
          socket.off("close", onClose)
          resume(Effect.succeed(new Peer(ws, socket, identity, settings.socketBufferBytes)))
        })
      })

    /** Everything that needs the request: it is forgotten when this is done. What it opens lives in `scope`. */
    const greet = (request: IncomingMessage, socket: Socket, head: Buffer) =>
      Effect.gen(function* () {
        yield* admit
        const { address, wanted, versionId, resume, identity } = yield* readHandshake(request)
        const session = yield* open(address, { wanted, versionId }, identity.userId).pipe(
          Effect.catchTag("NotYours", (error) =>
            Effect.fail(new Refused({ status: 403, text: tell(error).status_message }))
          ),
          // What else is wrong is told on the socket, with a close code that a browser can read.
          Effect.map(Either.right),
          Effect.catchAll(
            (error): Effect.Effect<Opening["session"], Refused> =>
              error instanceof Refused ? Effect.fail(error) : Effect.succeed(Either.left(error))
          )
        )
        const peer = yield* upgrade(request, socket, head, identity)
        yield* peers.join(peer)
        return { peer, opening: { address, resume, session } }
      })

    /**
     * The handshake in one fiber, the connection in another: a fiber's stack keeps what it was made of, and an
     * idle connection should not keep its request (measured: 10 KB of 54).
     */
    const welcome = (request: IncomingMessage, socket: Socket, head: Buffer) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { peer, opening } = yield* greet(request, socket, head).pipe(
          Scope.extend(scope),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        fork(runConnection(peer, opening, scope))
      }).pipe(
        Effect.catchTag("Refused", (refused) => Effect.sync(() => socket.end(httpAnswer(refused)))),
        Effect.catchAllCause((cause) =>
          Effect.zipRight(
            Cause.isInterruptedOnly(cause) ? Effect.void : loggedDefect("upgrade", cause),
            Effect.sync(() => socket.destroy())
          )
        )
      )

    // Sockets get only the services they use: the scopes of each copy what it is given.
    const fork = yield* FiberSet.runtime(connections)<Served>().pipe(
      Effect.mapInputContext((all: Context.Context<Served>) => Context.pick(...served)(all))
    )

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
          socket.on("error", destroyed)
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

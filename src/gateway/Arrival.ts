/**
 * One socket's whole life, as one fiber: who asks to come in, whether it may, the handshake, the conversation, and
 * everything given back at its end.
 *
 * An idle connection should not keep its request (measured: 10 KB of 54), and a fiber's stack keeps what it was made
 * of. So the request stands in one place, which the handshake empties; no closure has it. Plain steps instead of
 * generators: of one that was ever begun an idle fiber keeps 0.8 KB, its function's own prototype and shapes.
 */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Leaving, tell } from "../protocol/errors.ts"
import { loggedDefect } from "../run/defects.ts"
import type { Session } from "../session/Session.ts"
import { Conversation, type Fatal, type Opening, type Services } from "./Connection.ts"
import { type Entry, Refused, type Request, readHandshake } from "./handshake.ts"
import type { OpenSession } from "./openSession.ts"
import type { Peer, PeerIdentity } from "./Peer.ts"
import type { PeersService } from "./Peers.ts"

/** What is asked of Node's HTTP server. */
export interface Knock {
  readonly request: IncomingMessage
  readonly socket: Socket
  readonly head: Buffer
}

/** What all arrivals have in common. */
export interface Door extends Entry, Services {
  readonly isFull: () => boolean
  readonly draining: Effect.Effect<boolean>
  /** The 101, and the peer's listeners in the same turn, so that no message can slip by. Null: it was no handshake. */
  readonly upgrade: (knock: Knock, identity: PeerIdentity) => Peer | null
  readonly peers: PeersService
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

/**
 * What of it has nothing to wait for is plain code within one step: a step of the interpreter's takes 1.5 µs here, and
 * 150 of them were half of what a connect cost.
 */
export class Arrival {
  private readonly door: Door
  private knock: Knock | null
  private peer: Peer | null = null
  /** Null: not let in yet. */
  private conversation: Conversation | null = null

  constructor(door: Door, knock: Knock) {
    this.door = door
    this.knock = knock
  }

  /**
   * Ends when the socket is gone and nothing is left of it. A step that is over has left the stack before the next one
   * begins, and what stays there while the socket is idle is one frame: each frame keeps all that it was made of.
   */
  get life(): Effect.Effect<void> {
    return Effect.uninterruptible(
      Effect.flatMap(Scope.make(), (scope) =>
        Effect.matchCauseEffect(Effect.interruptible(this.visit(scope)), {
          onFailure: (cause) => Effect.zipRight(this.conclude(cause), this.part(scope)),
          onSuccess: () => this.part(scope)
        })
      )
    )
  }

  /** From what is asked of the request to the last message. What it opens lives in `scope`. */
  private visit(scope: Scope.CloseableScope): Effect.Effect<void, Refused | Fatal> {
    return Clock.clockWith((clock) => {
      const now = clock.unsafeCurrentTimeMillis()
      const { knock, door } = this
      if (knock === null) return Effect.interrupt
      if (door.isFull()) return full
      const request = readHandshake(knock.request, door, now)
      return Either.isLeft(request) ? request.left : this.open(request.right, now, scope)
    })
  }

  private open(
    { address, wanted, versionId, resume, identity }: Request,
    now: number,
    scope: Scope.CloseableScope
  ): Effect.Effect<void, Refused | Fatal> {
    const { door } = this
    const enter = (session: Opening["session"]) =>
      this.converse(identity, { address, resume, session }, now, scope)
    const opened = Effect.flatMap(
      door.draining,
      (isDraining): Effect.Effect<Session, Leaving | Effect.Effect.Error<ReturnType<OpenSession>>> =>
        // A browser cannot read why a handshake was refused, so who comes too late is let in and told.
        isDraining ? new Leaving() : door.openSession(scope, address, { wanted, versionId }, identity.userId)
    )
    return Effect.matchEffect(opened, {
      onSuccess: (session) => enter(Either.right(session)),
      onFailure: (error): Effect.Effect<void, Refused | Fatal> =>
        error._tag === "NotYours"
          ? new Refused({ status: 403, text: tell(error).status_message })
          : // What else is wrong is told on the socket, with a close code that a browser can read.
            enter(Either.left(error))
    })
  }

  /** The handshake, and what is said after it. Over at once where it was none, or the socket is gone. */
  private converse(
    identity: PeerIdentity,
    opening: Opening,
    now: number,
    scope: Scope.Scope
  ): Effect.Effect<void, Fatal> {
    const { knock, door } = this
    const peer = knock === null || knock.socket.destroyed ? null : door.upgrade(knock, identity)
    this.knock = null
    this.peer = peer
    if (peer === null) return Effect.void
    door.peers.join(peer)
    const conversation = new Conversation(peer, opening.address, door, scope, now)
    this.conversation = conversation
    return conversation.hold(opening)
  }

  private conclude(cause: Cause.Cause<Refused | Fatal>): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.conversation === null ? this.turnAway(cause) : this.conversation.conclude(cause)
    )
  }

  private turnAway(cause: Cause.Cause<Refused | Fatal>): Effect.Effect<void> {
    const socket = this.knock?.socket
    this.knock = null
    const refused = Option.getOrNull(Cause.failureOption(cause))
    if (refused instanceof Refused) {
      socket?.end(httpAnswer(refused))
      return Effect.void
    }
    socket?.destroy()
    return Cause.isInterruptedOnly(cause) ? Effect.void : Effect.asVoid(loggedDefect("upgrade", cause))
  }

  private part(scope: Scope.CloseableScope): Effect.Effect<void> {
    return this.conversation === null
      ? this.leave(scope)
      : Effect.zipRight(this.conversation.end, this.leave(scope))
  }

  private leave(scope: Scope.CloseableScope): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.peer !== null) {
        this.door.peers.leave(this.peer)
        this.peer.drop()
      }
      return Scope.close(scope, Exit.void)
    })
  }
}

const full = new Refused({
  status: 503,
  text: "too many connections; try again soon",
  retryAfterSeconds: 2
})

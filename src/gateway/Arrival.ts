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
import { loggedDefect } from "../run/recorder.ts"
import type { Session } from "../session/Session.ts"
import { Conversation, type Opening, type Services } from "./Connection.ts"
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

/** Who may come in, and to what. */
interface Guest {
  readonly identity: PeerIdentity
  readonly opening: Opening
  readonly now: number
}

export class Arrival {
  private readonly door: Door
  private knock: Knock | null
  private peer: Peer | null = null

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
      Effect.suspend(() => Effect.flatMap(Scope.make(), (scope) => this.begin(scope)))
    )
  }

  private begin(scope: Scope.CloseableScope): Effect.Effect<void> {
    return Effect.matchCauseEffect(
      Effect.flatMap(Effect.interruptible(this.greet(scope)), (guest) => this.enter(guest, scope)),
      {
        onFailure: (cause) => Effect.zipRight(this.turnAway(cause), this.leave(scope)),
        onSuccess: (conversation) => this.hold(conversation, scope)
      }
    )
  }

  private hold(conversation: Conversation | null, scope: Scope.CloseableScope): Effect.Effect<void> {
    if (conversation === null) return this.leave(scope)
    const held = Effect.interruptible(Effect.suspend(() => conversation.hold()))
    return Effect.matchCauseEffect(held, {
      onFailure: (cause) => Effect.zipRight(conversation.conclude(cause), this.part(conversation, scope)),
      onSuccess: () => this.part(conversation, scope)
    })
  }

  private part(conversation: Conversation, scope: Scope.CloseableScope): Effect.Effect<void> {
    return Effect.zipRight(conversation.end, this.leave(scope))
  }

  /** Everything that is asked of the request. What it opens lives in `scope`. */
  private greet(scope: Scope.CloseableScope): Effect.Effect<Guest, Refused> {
    return Effect.flatMap(this.read, ({ address, wanted, versionId, resume, identity }) => {
      const opened = Scope.extend(this.open(address, { wanted, versionId }, identity.userId), scope)
      return Effect.matchEffect(opened, {
        onSuccess: (session) => guest(identity, { address, resume, session: Either.right(session) }),
        onFailure: (error) =>
          error._tag === "NotYours"
            ? new Refused({ status: 403, text: tell(error).status_message })
            : // What else is wrong is told on the socket, with a close code that a browser can read.
              guest(identity, { address, resume, session: Either.left(error) })
      })
    })
  }

  private get read(): Effect.Effect<Request, Refused> {
    return Effect.suspend(() => {
      const { knock, door } = this
      if (knock === null) return Effect.interrupt
      return door.isFull() ? full : readHandshake(knock.request, door)
    })
  }

  /** A browser cannot read why a handshake was refused, so who comes too late is let in and told. */
  private open(
    ...asked: Parameters<OpenSession>
  ): Effect.Effect<Session, Leaving | Effect.Effect.Error<ReturnType<OpenSession>>, Scope.Scope> {
    return Effect.if(this.door.draining, {
      onTrue: () => new Leaving(),
      onFalse: () => this.door.openSession(...asked)
    })
  }

  /** Null: it was no handshake, or the socket is gone. */
  private enter({ identity, opening, now }: Guest, scope: Scope.Scope): Effect.Effect<Conversation | null> {
    return Effect.sync(() => {
      const { knock, door } = this
      const peer = knock === null || knock.socket.destroyed ? null : door.upgrade(knock, identity)
      this.knock = null
      this.peer = peer
      if (peer === null) return null
      door.peers.join(peer)
      return new Conversation(peer, opening, door, scope, now)
    })
  }

  private turnAway(cause: Cause.Cause<Refused>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const socket = this.knock?.socket
      this.knock = null
      const refused = Cause.failureOption(cause)
      if (Option.isSome(refused)) {
        socket?.end(httpAnswer(refused.value))
        return Effect.void
      }
      socket?.destroy()
      return Cause.isInterruptedOnly(cause) ? Effect.void : Effect.asVoid(loggedDefect("upgrade", cause))
    })
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

const guest = (identity: PeerIdentity, opening: Opening): Effect.Effect<Guest> =>
  Effect.map(Clock.currentTimeMillis, (now) => ({ identity, opening, now }))

const full = new Refused({
  status: 503,
  text: "too many connections; try again soon",
  retryAfterSeconds: 2
})

/**
 * One socket's conversation, in its scoped fiber: it takes messages one at a time, in order, hands each to the session
 * it is for, and ends with the close frame of the error that ended it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import {
  type AppError,
  BinaryFrame,
  type Leaving,
  type ProtocolError,
  RateLimited,
  tell
} from "../protocol/errors.ts"
import { type Address, type Frame, frame } from "../protocol/frames.ts"
import { type Ask, decodePayload, type Payload, type Reply, type ResumePoint } from "../protocol/payloads.ts"
import type { ActionTable } from "../run/Actions.ts"
import { loggedDefect } from "../run/defects.ts"
import type { Session } from "../session/Session.ts"
import { StorageError } from "../storage/StorageError.ts"
import { Allowance } from "./Allowance.ts"
import { Following } from "./Following.ts"
import type { OpenSession } from "./openSession.ts"
import type { Peer } from "./Peer.ts"

/** What is said to a session, which has to be there for it. */
type ToSession = Extract<
  Payload,
  { readonly _tag: "Ask" | "Reply" | "CheckStatus" | "Stop" | "ClearHistory" }
>

/** Messages that are not JSON before the socket is closed. */
const maxNotJson = 3

/** What a socket is closed for: there is a better node, or a better moment. */
const fatal: ReadonlyArray<ProtocolError["_tag"]> = ["Leaving", "Overloaded", "Defect"]

/** Ends the socket with this error's close frame. */
export class Fatal extends Data.TaggedError("Fatal")<{ readonly error: ProtocolError }> {}

/** The session the socket opens on, or why there is none. */
export interface Opening {
  readonly address: Address
  readonly resume: ResumePoint | null
  readonly session: Either.Either<Session, AppError | Leaving | StorageError>
}

/** What conversations ask of the node. */
export interface Services {
  readonly actions: ActionTable
  readonly openSession: OpenSession
}

/** One socket's conversation. A class, because every idle socket keeps one: methods are shared, closures are not. */
export class Conversation {
  private readonly peer: Peer
  private readonly actions: ActionTable
  private readonly following: Following
  private readonly allowance: Allowance
  private own: Address
  private notJson = 0

  /** `scope` holds what the connection holds. */
  constructor(peer: Peer, own: Address, services: Services, scope: Scope.Scope, now: number) {
    this.peer = peer
    this.actions = services.actions
    this.following = new Following(peer, scope, services.openSession)
    this.allowance = new Allowance(now)
    this.own = own
  }

  /**
   * Takes messages until the peer is gone. No generator here: what an idle fiber keeps of one is 0.8 KB, the shapes
   * of a function that is made anew for every socket.
   */
  hold(opening: Opening): Effect.Effect<void, Fatal> {
    return Effect.flatMap(this.openOwn(opening), () => this.next)
  }

  /** After a close frame the peer still has to answer it; until then the fiber keeps the socket. */
  get end(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { leaveAll } = this.following
      if (this.peer.isGone) return leaveAll
      return Effect.zipRight(Effect.exit(Effect.interruptible(this.peer.gone)), leaveAll)
    })
  }

  private get next(): Effect.Effect<void, Fatal> {
    return Effect.flatMap(this.peer.inbox.take, (incoming) => {
      if (incoming._tag === "Gone") return Effect.void
      const { text } = incoming
      if (text === null) return new Fatal({ error: new BinaryFrame() })
      return Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.zipRight(
          this.judge(text, now),
          Effect.suspend(() => this.next)
        )
      )
    })
  }

  /** Serves a message that may be said now. */
  private judge(text: string, now: number): Effect.Effect<void, Fatal> {
    const verdict = this.allowance.spend(now)
    if (verdict === "ok") return this.serve(text)
    const error = new RateLimited({ retryAfterMs: this.allowance.retryAfterMs })
    this.tellError(error, this.own)
    return verdict === "enough" ? new Fatal({ error }) : Effect.void
  }

  /** Sends the close frame of whatever ended the conversation. */
  conclude(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      const failed = Option.getOrNull(Cause.failureOption(cause))
      if (failed instanceof Fatal) return this.peer.end(failed.error)
      if (Cause.isInterruptedOnly(cause)) return
      const error = yield* loggedDefect("socket", cause)
      this.tellError(error, this.own)
      this.peer.end(error)
    })
  }

  private openOwn({ session, resume, address }: Opening): Effect.Effect<void, Fatal> {
    if (Either.isRight(session)) return this.following.adopt(session.right, resume)
    return Effect.flatMap(presentable(session.left), (error) => {
      this.tellError(error, address)
      return new Fatal({ error })
    })
  }

  private serve(text: string): Effect.Effect<void, Fatal> {
    const { actions } = this
    const decoded = decodePayload(text, (name) => Object.hasOwn(actions, name))
    if (Either.isLeft(decoded)) return this.refuse(decoded.left, this.own, null)
    const payload = decoded.right
    const address = payload.address ?? this.own
    const asked = payload._tag === "Ask" || payload._tag === "Reply" ? payload.clientMsgId : null
    return Effect.catchAll(this.dispatch(payload, address), (error) =>
      Effect.flatMap(presentable(error), (shown) => this.refuse(shown, address, asked))
    )
  }

  private dispatch(payload: Payload, address: Address): Effect.Effect<void, ProtocolError | StorageError> {
    switch (payload._tag) {
      case "Ping":
        return this.say(frame(address, "info", "system", { message: "pong" }))
      case "Switch":
        return this.switchTo(payload.to)
      case "Open":
        return Effect.asVoid(this.following.reach(address, payload.resume))
      default:
        return Effect.flatMap(this.following.reach(address, null), (session) => this.tell(session, payload))
    }
  }

  private tell(session: Session, payload: ToSession): Effect.Effect<void, ProtocolError | StorageError> {
    const { peer } = this
    switch (payload._tag) {
      case "Ask":
        return this.ask(session, payload)
      case "Reply":
        return this.reply(session, payload)
      case "CheckStatus":
        return Effect.map(session.checkStatus, (frames) => {
          for (const one of frames) peer.send(one)
        })
      case "Stop":
        return Effect.map(session.stop(payload.scope), (stopped) => {
          if (stopped) return
          // Not before the frames of a run that has just ended.
          session.log.flush()
          peer.send(frame(session.address, "close", "processing"))
        })
      case "ClearHistory":
        return Effect.zipRight(
          session.clearHistory,
          peer.identity.native
            ? this.say(frame(session.address, "info", "system", { message: "history cleared" }))
            : Effect.void
        )
    }
  }

  private say(one: Frame): Effect.Effect<void> {
    return Effect.sync(() => this.peer.send(one))
  }

  private ask(session: Session, payload: Ask) {
    const { userId, ip, native } = this.peer.identity
    return Effect.map(session.ask(payload, { userId, ip }), (outcome) => {
      if (outcome._tag === "Repeated") this.peer.send(outcome.begin)
      if (outcome._tag === "Queued" && native) {
        const { runId, position } = outcome
        const message = { run_id: runId, client_msg_id: payload.clientMsgId, position }
        this.peer.send(frame(session.address, "info", "queue", { message }))
      }
    })
  }

  /** Acknowledges a repeat to those who can read it: the reply itself shows in what the run does next. */
  private reply(session: Session, payload: Reply) {
    const { userId, ip, native } = this.peer.identity
    return Effect.map(session.reply(payload, { userId, ip }), ({ _tag, runId }) => {
      if (_tag === "Taken" || !native) return
      const message = { run_id: runId, client_msg_id: payload.clientMsgId, repeated: true }
      this.peer.send(frame(session.address, "info", "reply", { message }))
    })
  }

  private switchTo(to: Address) {
    return Effect.gen(this, function* () {
      const before = this.own
      this.peer.send(frame(to, "begin", "processing"))
      // Before the session's own frames: a run in progress there must stay open for the client.
      this.peer.send(frame(to, "close", "processing"))
      yield* this.following.reach(to, null)
      this.own = to
      if (to.flowId !== before.flowId || to.chatId !== before.chatId) yield* this.following.leave(before)
    })
  }

  /** Tells why a payload was not served. The socket goes on, unless this error means that it cannot. */
  private refuse(
    error: ProtocolError,
    address: Address,
    clientMsgId: string | null
  ): Effect.Effect<void, Fatal> {
    return Effect.suspend(() => {
      this.tellError(error, address, clientMsgId)
      if (error._tag === "NotJson") this.notJson += 1
      const isFatal = this.notJson >= maxNotJson || fatal.includes(error._tag)
      return isFatal ? Effect.fail(new Fatal({ error })) : Effect.void
    })
  }

  /** `clientMsgId`: the question that the error answers, so that its sender knows which one was refused. */
  private tellError(error: ProtocolError, address: Address, clientMsgId: string | null = null): void {
    const { status_code, status_message, data } = tell(error)
    const extra = clientMsgId === null ? "{}" : JSON.stringify({ client_msg_id: clientMsgId })
    this.peer.send(
      frame(address, "end", "error", {
        user_id: this.peer.identity.userId,
        message: { status_code, status_message, data },
        extra
      })
    )
  }
}

/** What the client is told instead of a storage error. */
const presentable = (error: ProtocolError | StorageError): Effect.Effect<ProtocolError> =>
  error instanceof StorageError ? loggedDefect("socket", Cause.fail(error)) : Effect.succeed(error)

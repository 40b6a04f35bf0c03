/**
 * One socket's life, as one scoped fiber: it takes messages one at a time, in order, hands each to the session
 * it is for, and ends with the close frame of the error that ended it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { type AppError, BinaryFrame, type ProtocolError, RateLimited, tell } from "../protocol/errors.ts"
import { type Address, frame } from "../protocol/frames.ts"
import { type Ask, decodePayload, type Payload, type ResumePoint } from "../protocol/payloads.ts"
import { Actions } from "../run/Actions.ts"
import { loggedDefect } from "../run/recorder.ts"
import type { Session } from "../session/Session.ts"
import { StorageError } from "../storage/StorageError.ts"
import { Allowance } from "./Allowance.ts"
import { Following } from "./Following.ts"
import type { Peer } from "./Peer.ts"

/** Messages that are not JSON before the socket is closed. */
const maxNotJson = 3

/** Ends the socket with this error's close frame. */
class Fatal extends Data.TaggedError("Fatal")<{ readonly error: ProtocolError }> {}

/** The session the socket opens on, or why there is none. */
export interface Opening {
  readonly address: Address
  readonly resume: ResumePoint | null
  readonly session: Either.Either<Session, AppError | StorageError>
}

/** `scope` holds what the connection holds, and is closed at its end. */
export const runConnection = (peer: Peer, opening: Opening, scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const following = new Following(peer, scope)
    const allowance = new Allowance(yield* Clock.currentTimeMillis)
    const { userId, ip, native } = peer.identity
    const actions = yield* Actions
    const isAction = (name: string) => Object.hasOwn(actions, name)
    let own = opening.address
    let notJson = 0

    /** `clientMsgId`: the question that the error answers, so that its sender knows which one was refused. */
    const tellError = (error: ProtocolError, address: Address, clientMsgId: string | null = null) =>
      Effect.sync(() => {
        const { status_code, status_message, data } = tell(error)
        const extra = clientMsgId === null ? "{}" : JSON.stringify({ client_msg_id: clientMsgId })
        peer.send(
          frame(address, "end", "error", {
            user_id: userId,
            message: { status_code, status_message, data },
            extra
          })
        )
      })

    const hidden = (error: ProtocolError | StorageError): Effect.Effect<ProtocolError> =>
      error instanceof StorageError ? loggedDefect("socket", Cause.fail(error)) : Effect.succeed(error)

    const openOwn = Effect.gen(function* () {
      if (Either.isRight(opening.session))
        return yield* following.adopt(opening.session.right, opening.resume)
      const error = yield* hidden(opening.session.left)
      yield* tellError(error, opening.address)
      return yield* new Fatal({ error })
    })

    const ask = (session: Session, payload: Ask) =>
      Effect.map(session.ask(payload, { userId, ip }), (outcome) => {
        if (outcome._tag === "Repeated") peer.send(outcome.begin)
        if (outcome._tag === "Queued" && native) {
          const { runId, position } = outcome
          const message = { run_id: runId, client_msg_id: payload.clientMsgId, position }
          peer.send(frame(session.address, "info", "queue", { message }))
        }
      })

    const switchTo = (to: Address) =>
      Effect.gen(function* () {
        const before = own
        peer.send(frame(to, "begin", "processing"))
        // Before the session's own frames: a run in progress there must stay open for the client.
        peer.send(frame(to, "close", "processing"))
        yield* following.reach(to, null)
        own = to
        if (to.flowId !== before.flowId || to.chatId !== before.chatId) yield* following.leave(before)
      })

    const dispatch = (payload: Payload) =>
      Effect.gen(function* () {
        const address = payload.address ?? own
        if (payload._tag === "Ping") {
          return peer.send(frame(address, "info", "system", { message: "pong" }))
        }
        if (payload._tag === "Switch") return yield* switchTo(payload.to)
        const session = yield* following.reach(address, payload._tag === "Open" ? payload.resume : null)
        switch (payload._tag) {
          case "Open":
            return
          case "Ask":
            return yield* ask(session, payload)
          case "Stop": {
            const stopped = yield* session.stop(payload.scope)
            if (!stopped) peer.send(frame(address, "close", "processing"))
            return
          }
          case "ClearHistory":
            yield* session.clearHistory
            if (native) peer.send(frame(address, "info", "system", { message: "history cleared" }))
        }
      })

    /** Tells why a payload was not served. The socket goes on, unless this error means that it cannot. */
    const refuse = (error: ProtocolError, address: Address, clientMsgId: string | null = null) =>
      Effect.gen(function* () {
        yield* tellError(error, address, clientMsgId)
        if (error._tag === "NotJson") notJson += 1
        if (notJson >= maxNotJson || error._tag === "Overloaded" || error._tag === "Defect") {
          return yield* new Fatal({ error })
        }
      })

    const serve = (text: string) =>
      Effect.suspend((): Effect.Effect<void, Fatal, Effect.Effect.Context<ReturnType<typeof dispatch>>> => {
        const decoded = decodePayload(text, isAction)
        if (Either.isLeft(decoded)) return refuse(decoded.left, own)
        const payload = decoded.right
        const address = payload.address ?? own
        const asked = payload._tag === "Ask" ? payload.clientMsgId : null
        return dispatch(payload).pipe(
          Effect.catchAll((error) => Effect.flatMap(hidden(error), (shown) => refuse(shown, address, asked)))
        )
      })

    const converse = Effect.gen(function* () {
      yield* openOwn
      for (;;) {
        const incoming = yield* peer.inbox.take
        if (incoming._tag === "Gone") return
        if (incoming.text === null) return yield* new Fatal({ error: new BinaryFrame() })
        const verdict = allowance.spend(yield* Clock.currentTimeMillis)
        if (verdict === "ok") {
          yield* serve(incoming.text)
          continue
        }
        const error = new RateLimited({ retryAfterMs: allowance.retryAfterMs })
        yield* tellError(error, own)
        if (verdict === "enough") return yield* new Fatal({ error })
      }
    })

    /** The close frame of whatever ended the conversation. */
    const conclude = (cause: Cause.Cause<Fatal>) =>
      Effect.gen(function* () {
        const fatal = Cause.failureOption(cause)
        if (Option.isSome(fatal)) return peer.end(fatal.value.error)
        if (Cause.isInterruptedOnly(cause)) return
        const error = yield* loggedDefect("socket", cause)
        yield* tellError(error, own)
        peer.end(error)
      })

    const exit = yield* Effect.exit(Effect.interruptible(converse))
    if (Exit.isFailure(exit)) yield* conclude(exit.cause)
    // After a close frame the peer still has to answer it; until then the fiber keeps the socket.
    yield* Effect.exit(Effect.interruptible(peer.gone))
    yield* Scope.close(scope, Exit.void)
  }).pipe(Effect.uninterruptible)

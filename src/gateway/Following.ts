/**
 * The sessions that one socket follows: its own, and whichever others its payloads name. Each is followed in
 * a scope of its own, so that one can be left without the others noticing.
 */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { InvalidInput } from "../protocol/errors.ts"
import { type Address, frame } from "../protocol/frames.ts"
import type { ResumePoint } from "../protocol/payloads.ts"
import type { Session } from "../session/Session.ts"
import { whileOpen } from "../session/whileOpen.ts"
import { openSession } from "./openSession.ts"
import type { Peer } from "./Peer.ts"

/** Sessions that one socket may follow at a time. */
const maxFollowed = 64

interface Followed {
  readonly session: Session
  readonly scope: Scope.CloseableScope
}

const keyOf = (address: Address) => `${address.flowId}/${address.chatId}`

export class Following {
  private readonly peer: Peer
  private readonly scope: Scope.Scope
  private readonly followed = new Map<string, Followed>()

  /** What is followed is left when `scope` closes. */
  constructor(peer: Peer, scope: Scope.Scope) {
    this.peer = peer
    this.scope = scope
  }

  /** The session of an address: one that is followed already, or opened and followed from now on. */
  reach(address: Address, resume: ResumePoint | null) {
    return Effect.gen(this, function* () {
      const known = this.followed.get(keyOf(address))
      if (known !== undefined) return known.session
      if (this.followed.size >= maxFollowed) {
        return yield* new InvalidInput({
          reason: `one socket follows ${maxFollowed} sessions at most; open another socket`
        })
      }
      const scope = yield* Scope.fork(this.scope, ExecutionStrategy.sequential)
      return yield* openSession(address, null, this.peer.identity.userId).pipe(
        Effect.tap((session) => this.start(session, resume, scope)),
        Scope.extend(scope),
        Effect.onError(() => Scope.close(scope, Exit.void))
      )
    })
  }

  /** Follows a session that the caller has opened in the socket's own scope. */
  adopt(session: Session, resume: ResumePoint | null) {
    return Effect.gen(this, function* () {
      const scope = yield* Scope.fork(this.scope, ExecutionStrategy.sequential)
      yield* Scope.extend(this.start(session, resume, scope), scope)
    })
  }

  leave(address: Address): Effect.Effect<void> {
    return Effect.suspend(() => {
      const entry = this.followed.get(keyOf(address))
      if (entry === undefined) return Effect.void
      this.followed.delete(keyOf(address))
      return Scope.close(entry.scope, Exit.void)
    })
  }

  /** Sends the session's frames from the right place on, and counts the socket as present. */
  private start(session: Session, resume: ResumePoint | null, scope: Scope.CloseableScope) {
    return Effect.gen(this, function* () {
      const { log, address } = session
      yield* session.attend
      const recovered = resume !== null && resume.epoch === log.epoch && log.has(resume.lastSeq)
      const position = recovered ? resume.lastSeq : log.joinPoint
      // A client that asked to resume and cannot must be told, native or not.
      if (this.peer.identity.native || (resume !== null && !recovered)) {
        const runId = session.activeRun()
        const status = runId === null ? "idle" : "running"
        this.peer.send(
          frame(address, "info", "session", {
            message: { epoch: log.epoch, seq: position, status, run_id: runId, recovered }
          })
        )
      }
      yield* whileOpen(
        Effect.sync(() => this.peer.outbox.follow(log, position)),
        (unfollow) => Effect.sync(unfollow)
      )
      this.followed.set(keyOf(address), { session, scope })
    })
  }
}

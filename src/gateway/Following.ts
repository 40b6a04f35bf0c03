/**
 * The sessions that one socket follows: its own, and whichever others its payloads name. Each can be left
 * without the others noticing, and all are left at the socket's end.
 */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { InvalidInput, type ProtocolError } from "../protocol/errors.ts"
import { type Address, frame } from "../protocol/frames.ts"
import type { ResumePoint } from "../protocol/payloads.ts"
import type { Session } from "../session/Session.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Besides } from "./Outbox.ts"
import type { OpenSession } from "./openSession.ts"
import type { Peer } from "./Peer.ts"

const anyKind = { wanted: null, versionId: undefined }

/** Sessions that one socket may follow at a time. */
const maxFollowed = 64

/** One of them. A class, as what every idle socket keeps. */
class Followed implements Besides {
  readonly session: Session
  private readonly peer: Peer
  /** Counts the socket as gone. */
  private readonly depart: Effect.Effect<void>
  /** What holds the session, where the socket's own scope does not. */
  private readonly scope: Scope.CloseableScope | null
  private readonly unfollow: () => void

  /** Sends the frames of a session that counts the socket as present, from the right place on. */
  constructor(
    peer: Peer,
    session: Session,
    resume: ResumePoint | null,
    depart: Effect.Effect<void>,
    scope: Scope.CloseableScope | null
  ) {
    this.peer = peer
    this.session = session
    this.depart = depart
    this.scope = scope
    const { log } = session
    const recovered = resume !== null && resume.epoch === log.epoch && log.has(resume.lastSeq)
    const position = recovered ? resume.lastSeq : log.joinPoint
    // A client that asked to resume and cannot must be told, native or not.
    if (peer.identity.native || (resume !== null && !recovered)) this.tellPlace(position, recovered)
    this.unfollow = peer.outbox.follow(log, position, this)
  }

  /** Who is not told that something is missing is not left waiting for it: the history has the rest. */
  replaced(position: number, untold: string | null): void {
    const { peer, session } = this
    if (peer.identity.native) this.tellPlace(position, false)
    else if (untold !== null) {
      peer.send(frame(session.address, "end", "processing", { run_id: untold }))
      peer.send(frame(session.address, "close", "processing", { run_id: untold }))
    }
  }

  notice(json: string): void {
    if (this.peer.identity.native) this.peer.outbox.send(json)
  }

  /** Done twice it is done once. */
  get leave(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.unfollow()
      return this.scope === null
        ? this.depart
        : Effect.zipRight(this.depart, Scope.close(this.scope, Exit.void))
    })
  }

  private tellPlace(seq: number, recovered: boolean): void {
    const { log, address } = this.session
    const { runId, status } = log.standing
    this.peer.send(
      frame(address, "info", "session", {
        message: { epoch: log.epoch, seq, status, run_id: status === "running" ? runId : null, recovered }
      })
    )
  }
}

const isAt = ({ session }: Followed, { flowId, chatId }: Address): boolean =>
  session.address.flowId === flowId && session.address.chatId === chatId

export class Following {
  private readonly peer: Peer
  private readonly scope: Scope.Scope
  private readonly open: OpenSession
  private followed: ReadonlyArray<Followed> = []

  /** What else is followed than the socket's own session is held in `scope`. */
  constructor(peer: Peer, scope: Scope.Scope, open: OpenSession) {
    this.peer = peer
    this.scope = scope
    this.open = open
  }

  /** The session of an address: one that is followed already, or opened and followed from now on. */
  reach(address: Address, resume: ResumePoint | null): Effect.Effect<Session, ProtocolError | StorageError> {
    return Effect.suspend((): Effect.Effect<Session, ProtocolError | StorageError> => {
      const known = this.followed.find((one) => isAt(one, address))
      if (known !== undefined) return Effect.succeed(known.session)
      if (this.followed.length < maxFollowed) return this.begin(address, resume)
      const reason = `one socket follows ${maxFollowed} sessions at most; open another socket`
      return new InvalidInput({ reason })
    })
  }

  private begin(address: Address, resume: ResumePoint | null) {
    return Effect.flatMap(Scope.fork(this.scope, ExecutionStrategy.sequential), (scope) =>
      this.open(scope, address, anyKind, this.peer.identity.userId).pipe(
        Effect.tap((session) =>
          Effect.map(session.attend(resume), (depart) => this.add(session, resume, depart, scope))
        ),
        Effect.onError(() => Scope.close(scope, Exit.void)),
        Effect.uninterruptible
      )
    )
  }

  /** Follows a session that the socket's own scope holds: it costs no scope of its own. */
  adopt(session: Session, resume: ResumePoint | null): Effect.Effect<void> {
    return Effect.uninterruptible(
      Effect.flatMap(session.attend(resume), (depart) => {
        this.add(session, resume, depart, null)
        return Effect.void
      })
    )
  }

  private add(
    session: Session,
    resume: ResumePoint | null,
    depart: Effect.Effect<void>,
    scope: Scope.CloseableScope | null
  ): void {
    this.followed = [...this.followed, new Followed(this.peer, session, resume, depart, scope)]
  }

  get leaveAll(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { followed } = this
      this.followed = []
      return Effect.forEach(followed, ({ leave }) => leave, { discard: true })
    })
  }

  leave(address: Address): Effect.Effect<void> {
    return Effect.suspend(() => {
      const known = this.followed.find((one) => isAt(one, address))
      this.followed = this.followed.filter((one) => one !== known)
      return known === undefined ? Effect.void : known.leave
    })
  }
}

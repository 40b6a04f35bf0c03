/** One socket's life at its process, as the gateway's `Connection`, `Following` and `Outbox` lead it. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { AppError } from "../../../src/protocol/errors.ts"
import type { Address, Frame } from "../../../src/protocol/frames.ts"
import type { FrameLog } from "../../../src/session/FrameLog.ts"
import type { HubService } from "../../../src/session/Hub.ts"
import type { AskError, Session } from "../../../src/session/Session.ts"
import type { StorageError } from "../../../src/storage/StorageError.ts"
import type { Said, Socket } from "./Socket.ts"

const asker = { userId: 1, ip: "127.0.0.1" }

/** Errors after which the gateway closes the socket. */
const fatal: ReadonlyArray<string> = ["StorageError", "Leaving", "Overloaded"]

export const serveSocket = (hub: HubService, address: Address, socket: Socket): Effect.Effect<void> =>
  Effect.gen(function* () {
    const inbox = new Inbox(socket)
    const session = yield* hub.open(address, asker.userId)
    yield* session.checkStatus
    yield* follow(session, socket)
    for (;;) {
      const said = yield* inbox.take
      if (said === null) return
      socket.setServing(true)
      const error = yield* serve(session, socket, said)
      socket.setServing(false)
      if (error !== null && fatal.includes(error)) return
    }
  }).pipe(
    Effect.catchAll(() => Effect.void),
    Effect.scoped,
    Effect.ensuring(Effect.sync(() => socket.cut()))
  )

const follow = (session: Session, socket: Socket): Effect.Effect<void, never, Scope> =>
  Effect.gen(function* () {
    const depart = yield* session.attend(socket.resume)
    const unfollow = read(session.log, socket)
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        unfollow()
        return depart
      })
    )
  }).pipe(Effect.uninterruptible)

/** Moves the socket through the log, as far as it takes frames. */
const read = (log: FrameLog, socket: Socket): (() => void) => {
  const { resume } = socket
  const recovered = resume !== null && resume.epoch === log.epoch && log.has(resume.lastSeq)
  let position = recovered ? resume.lastSeq : log.joinPoint
  let blocked = false
  const tellPlace = (lastSeq: number, recovered: boolean) => {
    const { status, runId } = log.standing
    socket.tell({ _tag: "Place", place: { epoch: log.epoch, lastSeq, status, runId, recovered } })
  }
  const advance = () => {
    if (blocked || !socket.isOpen) return
    if (!log.has(position)) return socket.cut()
    for (let next = log.next(position); next !== null; next = log.next(position)) {
      socket.tell({ _tag: "Frame", json: next.json })
      position = next.seq
      blocked = socket.isFull
      if (blocked) return
    }
  }
  socket.onDrain = () => {
    blocked = false
    advance()
  }
  tellPlace(position, recovered)
  const unsubscribe = log.subscribe({
    wake: advance,
    position: () => position,
    replaced: (start) => {
      position = start
      tellPlace(position, false)
      advance()
    }
  })
  advance()
  return unsubscribe
}

/** Messages wait here until they are taken, one at a time; null: the peer is gone. */
class Inbox {
  private readonly waiting: Array<Said> = []
  private gone = false
  private wake: () => void = () => undefined

  constructor(socket: Socket) {
    socket.onSaid = (said) => {
      this.waiting.push(said)
      this.wake()
    }
    socket.onNodeClosed = () => {
      this.gone = true
      this.wake()
    }
    this.gone = !socket.isOpen
  }

  get take(): Effect.Effect<Said | null> {
    return Effect.async((resume) => {
      this.wake = () => {
        const said = this.waiting.shift()
        if (said === undefined && !this.gone) return
        this.wake = () => undefined
        resume(Effect.succeed(said ?? null))
      }
      this.wake()
    })
  }
}

/** Answers the error's name where it was not served. */
const serve = (session: Session, socket: Socket, said: Said): Effect.Effect<string | null> => {
  const id = said._tag === "Ask" || said._tag === "Reply" ? said.clientMsgId : null
  return dispatch(session, socket, said).pipe(
    Effect.as(null),
    Effect.catchAll(({ _tag }) => {
      socket.tell({ _tag: "Refused", clientMsgId: id, error: _tag })
      return Effect.succeed(_tag)
    })
  )
}

const dispatch = (
  session: Session,
  socket: Socket,
  said: Said
): Effect.Effect<void, AskError | AppError | StorageError> => {
  const direct = (frame: Frame) => socket.tell({ _tag: "Direct", json: JSON.stringify(frame) })
  switch (said._tag) {
    case "Ask":
      return Effect.map(session.ask(said, asker), (outcome) => {
        if (outcome._tag === "Repeated") socket.tell({ _tag: "Begin", json: JSON.stringify(outcome.begin) })
        if (outcome._tag === "Queued") socket.tell({ _tag: "Queued", clientMsgId: said.clientMsgId })
      })
    case "Reply":
      return Effect.map(session.reply(said, asker), ({ _tag }) => {
        if (_tag === "Repeated") socket.tell({ _tag: "Repeated", clientMsgId: said.clientMsgId })
      })
    case "Stop":
      return Effect.asVoid(session.stop(said.scope, said.runId))
    case "CheckStatus":
      return Effect.map(session.checkStatus, (frames) => {
        for (const frame of frames) direct(frame)
      })
  }
}

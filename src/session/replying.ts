/** A run that waits for a person: a reply to it, what it asks, and its end when nobody replies. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import { type AppError, InvalidInput, RunFailed } from "../protocol/errors.ts"
import { unwrapped } from "../protocol/eventStream.ts"
import { type Frame, frame } from "../protocol/frames.ts"
import type { Reply } from "../protocol/payloads.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Desk } from "./Desk.ts"
import { holding, holdLease, settleLater } from "./holding.ts"
import { maxReplies } from "./parked.ts"
import { unstarted } from "./Queue.ts"
import { toldOf } from "./Runner.ts"
import type { AskError, Asker, ReplyOutcome } from "./Session.ts"

/** A lease that is just being given back by another node is waited for. */
const soon = Schedule.intersect(Schedule.spaced("20 millis"), Schedule.recurs(50))

export const reply = (desk: Desk, reply: Reply, asker: Asker): Effect.Effect<ReplyOutcome, AskError> =>
  Effect.gen(function* () {
    const { runner, journal, session } = desk
    const { lease, slots, log } = session
    const app = yield* desk.openApp
    const id = reply.clientMsgId
    const nothingWaits = new InvalidInput({
      reason: "no run of this chat waits for a reply; it has ended, or has not asked yet"
    })
    if (id !== null && desk.replied.includes(id)) {
      return { _tag: "Repeated" as const, runId: log.standing.runId ?? "" }
    }
    const parked = yield* desk.parkedOf(app)
    if (parked === null || app.resume === undefined || runner.active !== null) return yield* nothingWaits
    const { turn, prompts, state } = parked
    if (id !== null && turn.replies.includes(id)) {
      return { _tag: "Repeated" as const, runId: turn.runId }
    }
    const { resume } = app
    const fits = resume.accept(state, reply)
    if (Either.isLeft(fits)) return yield* new InvalidInput({ reason: fits.left })
    yield* Effect.repeat(holdLease(desk), { until: (held) => held, schedule: soon })
    if (lease.term() === 0 || !slots.take()) return yield* desk.noSlot
    const { text } = fits.right
    const giveBack = Effect.zipRight(Effect.sync(slots.release), settleLater(desk))
    const stored = yield* journal
      .resume(turn.runId, { is_bot: false, type: "over", category: "question", message: text }, session.self)
      .pipe(Effect.onError(() => giveBack))
    if (Option.isNone(stored)) {
      yield* giveBack
      return yield* nothingWaits
    }
    const replies = id === null ? turn.replies : [...turn.replies.slice(1 - maxReplies), id]
    desk.replied = replies
    const events = unwrapped(
      Effect.map(journal.memory, (history) =>
        resume.run(state, reply, {
          text: turn.echo.message,
          inputs: turn.inputs,
          userId: turn.userId,
          history
        })
      )
    )
    const echo = { message_id: stored.value, message: text, user_id: asker.userId, client_msg_id: id }
    const open = prompts.filter((prompt) => !answers(reply, prompt))
    const goesOn = { ...turn, app, replies, open }
    yield* runner.launch(goesOn, runner.ready(toldOf(goesOn), events), (recorder) => {
      recorder.goOn(echo)
      return null
    })
    yield* desk.watchOrphan
    return { _tag: "Taken" as const, runId: turn.runId }
  }).pipe((replying) => desk.permit(replying), Effect.uninterruptible)

/** A group chat asks one thing at a time; a workflow's reply names the nodes that it is for. */
const answers = ({ action, body }: Reply, { message }: Frame): boolean =>
  action === "continue" ||
  !Predicate.isRecord(message) ||
  (Predicate.isRecord(body) && Object.hasOwn(body, String(message["node_id"])))

export const checkStatus = (desk: Desk): Effect.Effect<ReadonlyArray<Frame>, AppError | StorageError> =>
  Effect.gen(function* () {
    const { log, address } = desk.session
    for (;;) {
      const before = log.standing
      if (desk.runner.active !== null || before.status === "running") return []
      const parked = yield* desk.parkedOf(yield* desk.openApp)
      // It may have gone on, and even ended, while the database was asked.
      if (desk.runner.active !== null || log.standing !== before) continue
      if (parked === null) return [frame(address, "close", "processing")]
      // From before this server started, perhaps.
      if (before.status === "idle") log.parkRun(parked.turn.runId)
      return parked.prompts
    }
  })

export const expire = (desk: Desk, runId: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { runner, session, journal } = desk
    const opened = yield* Effect.either(desk.openApp)
    // Nothing can be told of it any more.
    if (Either.isLeft(opened)) {
      return yield* Effect.asVoid(journal.finish(runId, unstarted("its app is gone")))
    }
    const app = opened.right
    const limit = Duration.format(session.waitLimit)
    const reason = `no reply came within ${limit}; start again`
    const end = Effect.asVoid(desk.endParked(app, Exit.fail(new RunFailed({ reason, kind: app.kind }))))
    const parked = yield* desk.parkedOf(app)
    if (parked?.turn.runId === runId && runner.active === null) yield* holding(desk, end)
  }).pipe(
    Effect.catchAll((error) => Effect.logWarning("a run that has waited too long was not ended", error)),
    (expiring) => desk.permit(expiring),
    Effect.uninterruptible
  )

/** A question: accepted in the database, begun at once, or left to wait. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { App } from "../app/App.ts"
import {
  type AppError,
  InvalidInput,
  NotYours,
  Overloaded,
  QueueFull,
  SessionBusy
} from "../protocol/errors.ts"
import type { Frame } from "../protocol/frames.ts"
import type { Ask, OnBusy } from "../protocol/payloads.ts"
import type { Action } from "../run/Actions.ts"
import { fillingActions, type KnownRun } from "../run/Journal.ts"
import { type RunStatus, unseen } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Desk } from "./Desk.ts"
import { early } from "./early.ts"
import type { Runner } from "./Runner.ts"
import type { AskError, Asker, AskOutcome } from "./Session.ts"
import { type Asked, type HeadStart, noHeadStart, start, withHeadStart } from "./starting.ts"
import { stopElsewhere, stopRun } from "./stopping.ts"
import { echoOf, encodePayload, type Payload, type Turn, turnOf } from "./turn.ts"

const newRunId = Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))

const entries: Readonly<Record<OnBusy, "enqueue" | "reject" | "front">> = {
  enqueue: "enqueue",
  reject: "reject",
  interrupt: "front",
  rollback: "front"
}

export const ask = (desk: Desk, question: Ask, asker: Asker): Effect.Effect<AskOutcome, AskError> =>
  asked(desk, question, asker).pipe(
    Effect.ensuring(Effect.suspend(() => desk.replaced)),
    (asking) => desk.permit(asking),
    // Accepted means it runs: the asker's socket may vanish, the question stays.
    Effect.uninterruptible
  )

const asked = (desk: Desk, ask: Ask, asker: Asker): Effect.Effect<AskOutcome, AskError> =>
  Effect.suspend(() => {
    const { lease, headStarts } = desk.session
    // What makes way for a question ends before the lease is asked for.
    const isEarly = lease.isShared && entries[ask.onBusy] !== "front" && headStarts.take()
    return isEarly
      ? Effect.ensuring(
          holdingEarly(desk, (hold) => decided(desk, ask, asker, hold, true)),
          Effect.sync(headStarts.release)
        )
      : decided(desk, ask, asker, desk.hold, false)
  })

/** The lease is asked for while the app and the question are looked up. Where it was not needed it is given back. */
const holdingEarly = <A, E>(
  desk: Desk,
  use: (hold: Effect.Effect<boolean>) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(early(desk.hold), (hold) => {
    let isUsed = false
    const used = Effect.suspend(() => {
      isUsed = true
      return hold
    })
    const unused = Effect.suspend(() => (isUsed ? Effect.void : Effect.zipRight(hold, desk.settleLater)))
    return Effect.ensuring(use(used), unused)
  })

/** `hold`: takes or keeps the lease, as `Desk.hold` does. */
const decided = Effect.fnUntraced(function* (
  desk: Desk,
  ask: Ask,
  asker: Asker,
  hold: Effect.Effect<boolean>,
  isEarly: boolean
) {
  const find = ask.clientMsgId === null ? notAskedBefore : desk.journal.find(ask.clientMsgId)
  const found = isEarly && ask.clientMsgId !== null ? yield* early(find) : find
  // The same question may be on its way there: it would be refused here when the model has been asked already.
  const elsewhere = isEarly && ask.clientMsgId !== null ? yield* early(followedElsewhere(desk)) : nowhere
  const app = yield* appFor(desk, ask)
  const action = desk.actionFor(ask.action, app)
  if (action === undefined) {
    return yield* new InvalidInput({ reason: `unknown action "${ask.action}"` })
  }
  const text = action.silent === true ? "" : action.question(ask.inputs, app)
  if (text === null) {
    return yield* new InvalidInput({
      reason: `inputs.${app.inputKey} must be a text that is not empty`
    })
  }
  const before = yield* found
  if (Option.isSome(before)) return yield* again(desk, before.value, action, app, text)
  const isFront = entries[ask.onBusy] === "front"
  const rollback = ask.onBusy === "rollback" ? desk.session.log.standing.runId : null
  // What the run in progress stores is stored before the question that takes its place.
  if (isFront) yield* makeWay(desk)
  const payload = { inputs: ask.inputs, text, rollback }
  const question = { runId: yield* newRunId, action, app, inputs: ask.inputs, text, userId: asker.userId }
  return yield* admitted(desk, hold, (isIdle, isHeld) => {
    const accepting = (headStart: HeadStart) =>
      Effect.flatMap(accept(desk, question, ask, asker, payload, isHeld), (accepted) =>
        taken(desk, accepted, { action, app, payload, isFront, hasSlot: isIdle, headStart })
      )
    return isIdle && isEarly ? withHeadStart(desk, question, elsewhere, accepting) : accepting(noHeadStart)
  })
})

const notAskedBefore = Effect.succeedNone
const nowhere = Effect.succeed(false)
const followedElsewhere = ({ session }: Desk) => session.lease.followedElsewhere

interface Taking {
  readonly action: Action
  readonly app: App
  readonly payload: Payload
  readonly isFront: boolean
  readonly hasSlot: boolean
  readonly headStart: HeadStart
}

type AcceptedQuestion = Effect.Effect.Success<ReturnType<typeof accept>>

/** What becomes of a question that is in the database. */
const taken = (
  desk: Desk,
  accepted: AcceptedQuestion,
  taking: Taking
): Effect.Effect<AskOutcome, StorageError> => {
  const { run, fresh, ahead } = accepted
  const { action, app, payload, isFront } = taking
  if (!fresh) return Effect.succeed({ _tag: "Repeated", begin: repeated(desk, run, app, payload.text) })
  if (run.status === "running") desk.mayWait = false
  const entered = enter(desk, turnOf(run, action, app, payload), accepted, taking)
  const replaced = ahead.find(({ status }) => status === "running")
  return isFront && replaced !== undefined ? Effect.zipRight(stopRun(desk, replaced), entered) : entered
}

const appFor = (desk: Desk, ask: Ask): Effect.Effect<App, AppError | StorageError> => {
  const { draft } = desk.session.own
  const data = ask.inputs["data"]
  if (draft === undefined || ask.action !== "workflow" || data === undefined) return desk.openApp
  return Effect.tap(draft(data), (app) =>
    Effect.sync(() => {
      desk.draft = app
    })
  )
}

/** Ends the run in progress. */
const makeWay = (desk: Desk): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { status, owner, runId } = desk.session.log.standing
    if (desk.runner.active !== null) {
      desk.replacing = true
      return desk.runner.interrupt(null)
    }
    return status === "running" && owner !== desk.session.self
      ? stopElsewhere(desk, "run", runId, owner)
      : Effect.succeed(false)
  })

/**
 * Takes a slot and the lease where nothing runs, for a question that is about to be accepted. What was not
 * used is given back. A session that another node runs needs neither.
 */
const admitted = <E>(
  desk: Desk,
  hold: Effect.Effect<boolean>,
  use: (isIdle: boolean, isHeld: boolean) => Effect.Effect<AskOutcome, E>
): Effect.Effect<AskOutcome, E | Overloaded> =>
  Effect.flatMap(hold, (isHeld): Effect.Effect<AskOutcome, E | Overloaded> => {
    const { slots } = desk.session
    const isIdle = isHeld && desk.runner.active === null
    if (isIdle && !slots.take()) {
      return Effect.zipRight(desk.settleLater, new Overloaded({ retryAfterMs: 1000 }))
    }
    return Effect.onExit(use(isIdle, isHeld), (exit) =>
      Effect.suspend(() => {
        if (Exit.isSuccess(exit) && exit.value._tag === "Begun") return Effect.void
        if (isIdle) slots.release()
        // The node that had the lease may have looked for the last time before the question was accepted.
        if (!isHeld && Exit.isSuccess(exit)) return desk.resumeLater
        return isIdle ? desk.settleLater : Effect.void
      })
    )
  })

/** Starts the question, or lets it wait when a run is in progress. */
const enter = (
  desk: Desk,
  turn: Turn,
  { run, ahead }: AcceptedQuestion,
  { hasSlot, headStart }: Taking
): Effect.Effect<AskOutcome> =>
  Effect.suspend((): Effect.Effect<AskOutcome> => {
    const { runner, session } = desk
    const begun: AskOutcome = { _tag: "Begun", runId: turn.runId }
    if (run.status === "running") {
      // The run it would have waited for has ended in the database, and has yet to be brought to its end here.
      const slot = hasSlot ? Effect.void : Effect.map(whenIdle(runner), () => session.slots.hold())
      return Effect.flatMap(slot, () => Effect.as(start(desk, turn, headStart), begun))
    }
    if (runner.active?.turn.runId === turn.runId) return Effect.succeed(begun)
    const position = ahead.filter(({ status }) => status === "queued").length + 1
    return Effect.succeed({ _tag: "Queued", runId: turn.runId, position })
  })

const whenIdle = (runner: Runner): Effect.Effect<void> =>
  Effect.suspend(() =>
    runner.active === null ? Effect.void : Effect.zipRight(runner.ended, whenIdle(runner))
  )

/** A question that came before: its run is told of again; one that broke off and can go on does so. */
const again = (
  desk: Desk,
  run: KnownRun,
  action: Action,
  app: App,
  text: string
): Effect.Effect<AskOutcome, AskError> =>
  Effect.gen(function* () {
    const told: AskOutcome = { _tag: "Repeated", begin: repeated(desk, run, app, text) }
    if (action.continues !== true || !brokeOff.includes(run.status)) return told
    desk.mayWait = true
    if (!(yield* desk.journal.reopen(run.runId, desk.session.self))) return told
    yield* desk.resumeLater
    return { _tag: "Queued", runId: run.runId, position: 1 }
  })

const brokeOff: ReadonlyArray<RunStatus> = ["stopped", "failed", "lost"]

/** The begin frame of a question that was accepted before. */
const repeated = ({ runner }: Desk, run: KnownRun, app: App, text: string): Frame => {
  const { active } = runner
  const known = active !== null && active.turn.runId === run.runId ? active.begin : null
  if (known !== null) {
    const { seq: _, ...begin } = known
    return begin
  }
  const frames = runner.projectionOf({ runId: run.runId, kind: app.kind, userId: run.userId })
  return { ...frames.begin(echoOf(run, text)), extra: JSON.stringify({ status: run.status }) }
}

const accept = (
  desk: Desk,
  { runId, app }: Asked,
  ask: Ask,
  asker: Asker,
  payload: Payload,
  startNow: boolean
) =>
  Effect.suspend(() => {
    const { session, journal } = desk
    desk.mayWait = true
    return journal.accept({
      runId,
      action: ask.action,
      owner: session.self,
      clientMsgId: ask.clientMsgId,
      payload: encodePayload(payload),
      entry: { startNow, onBusy: entries[ask.onBusy], maxQueued: session.maxQueued },
      session: {
        chatId: session.address.chatId,
        flowId: session.address.flowId,
        flowType: app.flowType,
        flowName: app.name,
        name: payload.text === "" ? app.name : titleOf(payload.text),
        userId: asker.userId,
        ip: asker.ip
      },
      question:
        session.actions[ask.action]?.silent === true
          ? { is_bot: false, type: "over", category: unseen, message: "" }
          : {
              is_bot: false,
              type: "over",
              category: "question",
              message: payload.text,
              ...(fillingActions.includes(ask.action)
                ? { extra: JSON.stringify({ inputs: ask.inputs }) }
                : {})
            }
    })
  }).pipe(
    Effect.catchTags({
      SessionTaken: () => new NotYours({ what: "chat" }),
      ChatBusy: () => new SessionBusy(),
      ChatFull: ({ limit }) => new QueueFull({ limit })
    })
  )

const maxTitle = 80

/** A session is called after its first question, cut at a character. */
const titleOf = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  const characters = [...line.slice(0, maxTitle * 2)]
  return characters.length <= maxTitle ? line : `${characters.slice(0, maxTitle - 1).join("")}…`
}

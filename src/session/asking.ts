/** A question: accepted in the database, begun at once, or left to wait. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { App } from "../app/App.ts"
import { type AppError, InvalidInput, type Leaving, type Overloaded } from "../protocol/errors.ts"
import type { Ask } from "../protocol/payloads.ts"
import type { Action } from "../run/Actions.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { type AcceptedQuestion, accept, entries } from "./accepting.ts"
import type { Desk } from "./Desk.ts"
import { early } from "./early.ts"
import { holdLease, settleLater } from "./holding.ts"
import type { Runner } from "./Runner.ts"
import { again, repeated } from "./repeating.ts"
import type { AskError, Asker, AskOutcome } from "./Session.ts"
import { type HeadStart, noHeadStart, readAhead, start, withHeadStart } from "./starting.ts"
import { stopElsewhere, stopRun } from "./stopping.ts"
import { type Payload, type Turn, turnOf } from "./turn.ts"

const newRunId = Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))

export const ask = (desk: Desk, question: Ask, asker: Asker): Effect.Effect<AskOutcome, AskError> =>
  asked(desk, question, asker).pipe(
    Effect.ensuring(Effect.suspend(() => desk.queue.replaced)),
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
      : decided(desk, ask, asker, holdLease(desk), false)
  })

/** The lease is asked for while the app and the question are looked up. Where it was not needed it is given back. */
const holdingEarly = <A, E>(
  desk: Desk,
  use: (hold: Effect.Effect<boolean>) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(early(holdLease(desk)), (hold) => {
    let isUsed = false
    const used = Effect.suspend(() => {
      isUsed = true
      return hold
    })
    const unused = Effect.suspend(() => (isUsed ? Effect.void : Effect.zipRight(hold, settleLater(desk))))
    return Effect.ensuring(use(used), unused)
  })

/** `hold`: takes or keeps the lease, as `holdLease` does. */
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
  const read = isEarly ? yield* readAhead(desk, ask.action) : null
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
    return isIdle && isEarly
      ? withHeadStart(desk, question, { elsewhere, read }, accepting)
      : accepting(noHeadStart)
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

/** What becomes of a question that is in the database. */
const taken = (
  desk: Desk,
  accepted: AcceptedQuestion,
  taking: Taking
): Effect.Effect<AskOutcome, StorageError> => {
  const { run, fresh, ahead } = accepted
  const { action, app, payload, isFront } = taking
  if (!fresh) return Effect.succeed({ _tag: "Repeated", begin: repeated(desk, run, app, payload.text) })
  if (run.status === "running") desk.queue.mayWait = false
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
      desk.queue.replacing = true
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
): Effect.Effect<AskOutcome, E | Leaving | Overloaded> =>
  Effect.flatMap(hold, (isHeld): Effect.Effect<AskOutcome, E | Leaving | Overloaded> => {
    const { slots } = desk.session
    const isIdle = isHeld && desk.runner.active === null
    if (isIdle && !slots.take()) {
      return Effect.zipRight(settleLater(desk), desk.noSlot)
    }
    return Effect.onExit(use(isIdle, isHeld), (exit) =>
      Effect.suspend(() => {
        if (Exit.isSuccess(exit) && exit.value._tag === "Begun") return Effect.void
        if (isIdle) slots.release()
        const settled = isIdle ? settleLater(desk) : Effect.void
        // Whoever had the lease may have given it back before the question was accepted.
        return Exit.isSuccess(exit) && (!isHeld || (isIdle && exit.value._tag === "Queued"))
          ? Effect.zipRight(settled, desk.queue.left)
          : settled
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

/**
 * How the run of a question starts; and what of it may begin while the question is being accepted, so that a person waits
 * for the database and for the model at the same time, and not for one after the other.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { App } from "../app/App.ts"
import type { Action } from "../run/Actions.ts"
import type { Memory } from "../run/Journal.ts"
import type { Desk } from "./Desk.ts"
import { earlyIn } from "./early.ts"
import { insist } from "./insist.ts"
import type { Ready } from "./Ready.ts"
import { toldOf } from "./Runner.ts"
import type { Turn } from "./turn.ts"

/** A question as far as its run needs to know it. */
export interface Asked {
  readonly runId: string
  readonly action: Action
  readonly app: App
  readonly inputs: Readonly<Record<string, unknown>>
  readonly text: string
  readonly userId: number
}

/** What has begun of a run before its question is accepted. */
export interface HeadStart {
  /** As far as its first word. */
  readonly run: Ready | null
  readonly memory: Memory | null
}

export const noHeadStart: HeadStart = { run: null, memory: null }

/** What the model is reminded of, read before the lease was there. */
export interface ReadAhead {
  readonly memory: Memory
  /** Nothing was told since the read began: no other node has brought a run to its end. */
  readonly isStillSo: () => boolean
}

interface Ahead {
  /** Whether the question may be accepted by another node meanwhile. */
  readonly elsewhere: Effect.Effect<boolean>
  readonly read: ReadAhead | null
}

/** null: nobody would ask for it. */
export const readAhead = (desk: Desk, actionName: string): Effect.Effect<ReadAhead | null> =>
  Effect.suspend(() => {
    const { actions, log } = desk.session
    const { epoch, written, standing } = log
    if (standing.status === "running" || actions[actionName]?.beginsWith === undefined) {
      return Effect.succeed(null)
    }
    const isStillSo = () => log.epoch === epoch && log.written === written
    return Effect.map(remembering(desk), (memory) => ({ memory, isStillSo }))
  })

/** For the run, which does not end with whoever has asked. */
const remembering = (desk: Desk): Effect.Effect<Memory> => earlyIn(desk.scope, desk.journal.memory)

/**
 * For a question that is about to be accepted where nothing runs, under the lease: what began for it and was not taken is
 * given up.
 */
export const withHeadStart = <A, E>(
  desk: Desk,
  asked: Asked,
  ahead: Ahead,
  accepting: (headStart: HeadStart) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(begun(desk, asked, ahead), (headStart) =>
    headStart.run === null
      ? accepting(headStart)
      : Effect.ensuring(accepting(headStart), headStart.run.giveUpUnused)
  )

/** A run that waits, which the question will end, is no part of what the model is reminded of. */
const begun = (desk: Desk, asked: Asked, { elsewhere, read }: Ahead): Effect.Effect<HeadStart> => {
  const { action, app } = asked
  if (action.beginsWith === undefined) return Effect.succeed(noHeadStart)
  const known = read?.isStillSo() === true ? read.memory : undefined
  const reminded = known === undefined ? remembering(desk) : Effect.succeed(known)
  const remembered = Effect.map(reminded, (memory): HeadStart => ({ run: null, memory }))
  if (action.beginsWith !== "app" || app.asksModelFirst !== true) return remembered
  return Effect.flatMap(elsewhere, (isElsewhere) =>
    isElsewhere
      ? remembered
      : Effect.map(
          desk.runner.begunAhead(toldOf(asked), eventsOf(desk, asked, known)),
          (run): HeadStart => ({ run, memory: null })
        )
  )
}

const eventsOf = (
  { session, journal }: Desk,
  { action, app, inputs, userId, text, runId }: Asked,
  memory = journal.memory
) =>
  action.run({
    runId,
    chatId: session.address.chatId,
    app,
    text,
    inputs,
    userId,
    journal,
    memory,
    past: journal.past(runId),
    mayRead: (fileIds) => session.judge.mayRead(fileIds, userId)
  })

/** Starts a run that is `running` in the database already. */
export const start = (desk: Desk, turn: Turn, headStart: HeadStart = noHeadStart): Effect.Effect<void> => {
  const { journal, runner } = desk
  const { app, echo, rollback } = turn
  // A question instead of the reply that was waited for; what is to be rolled back may wait by now.
  const ended = desk.endParked(app, Exit.interrupt(FiberId.none))
  const cleared =
    rollback === null ? ended : Effect.zipRight(ended, insist("a rollback", journal.rollback(rollback)))
  return Effect.flatMap(cleared, () => {
    desk.replied = []
    const ready = Effect.suspend(() => readyFor(desk, turn, headStart))
    const launched = runner.launch(turn, ready, (recorder) => recorder.begin(echo))
    return Effect.zipRight(launched, desk.watchOrphan)
  })
}

const readyFor = (desk: Desk, turn: Turn, { run, memory }: HeadStart): Effect.Effect<Ready> => {
  // What has begun under another lease could tell nobody anything.
  if (run?.takenUnder(desk.session.lease.term()) === true) return Effect.succeed(run)
  const asked = { ...turn, text: turn.echo.message }
  return desk.runner.ready(toldOf(turn), eventsOf(desk, asked, memory ?? undefined))
}

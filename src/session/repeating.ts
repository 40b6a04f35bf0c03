/** A question that was asked before, by a client that does not know whether it arrived. */
import * as Effect from "effect/Effect"
import type { App } from "../app/App.ts"
import type { Frame } from "../protocol/frames.ts"
import type { Action } from "../run/Actions.ts"
import type { KnownRun } from "../run/Journal.ts"
import type { RunStatus } from "../storage/rows.ts"
import type { Desk } from "./Desk.ts"
import type { AskError, AskOutcome } from "./Session.ts"
import { echoOf } from "./turn.ts"

/** Its run is told of again; one that broke off and can go on does so. */
export const again = (
  desk: Desk,
  run: KnownRun,
  action: Action,
  app: App,
  text: string
): Effect.Effect<AskOutcome, AskError> =>
  Effect.gen(function* () {
    const told: AskOutcome = { _tag: "Repeated", begin: repeated(desk, run, app, text) }
    if (action.continues !== true || !brokeOff.includes(run.status)) return told
    desk.queue.mayWait = true
    if (!(yield* desk.journal.reopen(run.runId, desk.session.self))) return told
    yield* desk.queue.left
    return { _tag: "Queued", runId: run.runId, position: 1 }
  })

const brokeOff: ReadonlyArray<RunStatus> = ["stopped", "failed", "lost"]

/** The begin frame of a question that was accepted before. */
export const repeated = ({ runner }: Desk, run: KnownRun, app: App, text: string): Frame => {
  const { active } = runner
  const known = active !== null && active.turn.runId === run.runId ? active.begin : null
  if (known !== null) {
    const { seq: _, ...begin } = known
    return begin
  }
  const frames = runner.projectionOf({ runId: run.runId, kind: app.kind, userId: run.userId })
  return { ...frames.begin(echoOf(run, text)), extra: JSON.stringify({ status: run.status }) }
}

/** Ending what runs or waits, on whichever node it does. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type { KnownRun } from "../run/Journal.ts"
import type { Desk } from "./Desk.ts"
import { holding, holdLease } from "./holding.ts"
import type { StopScope } from "./Session.ts"

/** How often another node is asked to stop what it runs: it answers within a second, or is gone. */
const attempts = 8

export const stop = (desk: Desk, scope: StopScope, runId: string | null): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { runner, session } = desk
    if (scope === "drain") return runner.interrupt(null)
    const { status, owner } = session.log.standing
    const isElsewhere = runner.active === null && status === "running" && owner !== session.self
    return isElsewhere ? stopElsewhere(desk, scope, runId, owner) : stopHere(desk, scope, runId)
  }).pipe(Effect.uninterruptible)

export const stopRun = (desk: Desk, run: KnownRun): Effect.Effect<boolean> =>
  run.owner === desk.session.self
    ? desk.runner.interrupt(run.runId)
    : stopElsewhere(desk, "run", run.runId, run.owner)

/** The node that runs it stops it. Where that is gone, whoever takes the session over ends the run. */
export const stopElsewhere = (
  { session }: Desk,
  scope: "run" | "all",
  runId: string | null,
  owner: string
): Effect.Effect<boolean> => {
  const { log, address, userId } = session
  const before = log.standing
  // Its begin may not have been heard here yet: then the log says nothing about its end.
  const hasEnded = () => before.owner === owner && log.standing.runId !== before.runId
  return session.askAt(owner, { ...address, userId, scope, runId }).pipe(
    Effect.repeat({
      until: (answer) => (Option.isSome(answer) || hasEnded() ? Effect.succeed(true) : session.isDead(owner)),
      times: attempts
    }),
    Effect.map(Option.getOrElse(() => false))
  )
}

const stopHere: (desk: Desk, scope: "run" | "all", runId: string | null) => Effect.Effect<boolean> =
  Effect.fnUntraced(function* (desk, scope, runId) {
    const { runner, journal, untold } = desk
    // Whoever has the session tells of what is taken out of its queue, between two runs.
    if (runner.active === null && !(yield* desk.permit(holdLease(desk)))) {
      const { lease, self, isDead } = desk.session
      const holder = lease.holder()
      const canAsk = holder !== "" && holder !== self && !(yield* isDead(holder))
      if (canAsk && (yield* stopElsewhere(desk, scope, runId, holder))) return true
    }
    const { active } = runner
    const isActive = active !== null && (runId === null || active.turn.runId === runId)
    // With nothing running, what is to be stopped can only be what waits for its turn.
    if (scope === "all" || !isActive) {
      const taken = yield* Effect.catchAll(journal.cancel(runId, desk.session.self), (error) =>
        Effect.as(Effect.logWarning("waiting questions were not cancelled", error.cause), [])
      )
      untold.add(taken)
    }
    const had = untold.any
    // The run in progress tells of what was cancelled at its end.
    const ended = isActive
      ? yield* endActive(desk, runId)
      : active === null && (yield* desk.permit(endWaiting(desk, runId)))
    yield* untold.tellLater
    return ended || had
  })

/** Ends the run in progress, which may have come to wait for a person just then. */
const endActive = (desk: Desk, runId: string | null): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { runner, session } = desk
    const inProgress = runner.active?.turn.runId ?? null
    return Effect.flatMap(runner.interrupt(runId), (ended) => {
      const { status, runId: now } = session.log.standing
      return status === "waiting" && now === inProgress
        ? Effect.as(desk.permit(endWaiting(desk, now)), true)
        : Effect.succeed(ended)
    })
  })

/** Ends the run that waits for a person, and tells of what was taken out of the queue. */
const endWaiting = (desk: Desk, runId: string | null): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { runner } = desk
    // A question that was being accepted runs by now.
    if (runner.active !== null) return runner.interrupt(runId)
    let ended = false
    const end = Effect.gen(function* () {
      const app = yield* Effect.either(desk.openApp)
      if (Either.isLeft(app)) return
      const parked = yield* desk.parkedOf(app.right)
      if (parked === null || (runId !== null && parked.turn.runId !== runId)) return
      ended = yield* desk.endParked(app.right, Exit.interrupt(FiberId.none))
    }).pipe(Effect.catchAll((error) => Effect.logWarning("a run that waits was not looked for", error.cause)))
    return Effect.map(holding(desk, Effect.zipRight(end, desk.untold.tell)), () => ended)
  })

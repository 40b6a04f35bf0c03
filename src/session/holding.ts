/**
 * The lease of a session, as its questions need it: held before anything is told, and given back when nothing runs.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Desk } from "./Desk.ts"
import { endLost } from "./takeover.ts"

/**
 * Takes or keeps the lease; false where another node has it. What a node that is gone has left open in the log
 * is ended first: nothing may be told inside of it.
 */
export const holdLease = (desk: Desk): Effect.Effect<boolean> => {
  const { session, journal, runner, openApp } = desk
  const { lease, log } = session
  return Effect.suspend(() => {
    const held =
      lease.term() !== 0
        ? lease.hold
        : Effect.flatMap(runsElsewhere(desk), (elsewhere) => (elsewhere ? Effect.succeed(false) : lease.hold))
    return Effect.flatMap(held, (isHeld) =>
      isHeld && runner.active === null && log.standing.status !== "idle"
        ? Effect.as(endLost({ session, journal, runner, openApp, runId: null }), true)
        : Effect.succeed(isHeld)
    )
  })
}

/** Were the shared store to have lost that a living node runs the session, it would not be safe to claim it. */
const runsElsewhere = ({ session, journal }: Desk): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { log, self, isDead } = session
    const { status, owner, runId } = log.standing
    if (status !== "running" || runId === null || owner === self) return Effect.succeed(false)
    const isRunning = journal.get(runId).pipe(
      Effect.map(Option.exists((run) => run.status === "running" && run.owner === owner)),
      Effect.orElseSucceed(() => true)
    )
    return Effect.flatMap(isDead(owner), (gone) => (gone ? Effect.succeed(false) : isRunning))
  })

/** Holds the lease for `use`; false where another node has it. It is given back where nothing was started. */
export const holding = (desk: Desk, use: Effect.Effect<void>): Effect.Effect<boolean> =>
  Effect.flatMap(holdLease(desk), (isHeld) =>
    isHeld ? Effect.as(Effect.zipRight(use, settleLater(desk)), true) : Effect.succeed(false)
  )

export const settleLater = (desk: Desk): Effect.Effect<void> =>
  Effect.asVoid(Effect.forkIn(settle(desk), desk.scope))

/** Gives the lease back when nothing runs. Whoever found it taken meanwhile, and left a question, is heard of then. */
const settle = (desk: Desk): Effect.Effect<void> => {
  const { lease } = desk.session
  const release = Effect.suspend(() =>
    desk.runner.active === null && lease.term() !== 0 ? lease.letGo : Effect.succeed(true)
  )
  return lease.delivered.pipe(
    Effect.zipRight(desk.permit(release)),
    // Something was written and ended while the permit was waited for.
    Effect.repeat({ while: (isAtRest) => !isAtRest }),
    Effect.asVoid,
    Effect.interruptible
  )
}

/** Whoever has the lease is about to look itself, or has lost sight of it. */
export const askHolder = ({ session }: Desk): Effect.Effect<void> => {
  const { lease, askAt, address, userId } = session
  return Effect.suspend(() =>
    lease.holder() === ""
      ? Effect.void
      : Effect.asVoid(askAt(lease.holder(), { ...address, userId, scope: "look", runId: null }))
  )
}

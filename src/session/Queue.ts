/**
 * What comes next in a session. The questions that wait are in the database, where every node sees them; the node that
 * holds the session's lease takes the next one. A question that another node has accepted while this one runs the
 * session is found at the end of the run.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { InvalidInput } from "../protocol/errors.ts"
import type { KnownRun } from "../run/Journal.ts"
import { retried } from "../storage/retried.ts"
import type { Desk } from "./Desk.ts"
import { askHolder, holding, settleLater } from "./holding.ts"
import { insist, untilDone } from "./insist.ts"
import { start } from "./starting.ts"
import { endLost } from "./takeover.ts"
import { decodePayload, turnOf } from "./turn.ts"

/** How a run ends that could not begin. */
export const unstarted = (error: string) => ({
  status: "failed" as const,
  error,
  promptTokens: 0,
  completionTokens: 0,
  messages: []
})

export class Queue {
  private readonly desk: Desk
  /** A question is about to take the place of the run in progress: what waits must not begin before it. */
  replacing = false
  /** A run has ended meanwhile, and what waits was left to that question to begin. */
  private passedOver = false
  /**
   * A question may be in the queue that was accepted here, or found there. Of those of other nodes this one hears when it
   * gives the lease back.
   */
  mayWait = true

  constructor(desk: Desk) {
    this.desk = desk
  }

  /** The run that has ended here had a slot and the lease: the next question gets both, if there is one. */
  get afterRun(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.desk.session.lease.term() === 0 || !this.mayWait ? Effect.void : Effect.asVoid(this.next(true))
    )
  }

  get afterAll(): Effect.Effect<void> {
    // A node that is alone accepts every question itself, and knows that none waits.
    return Effect.suspend(() => (this.desk.session.lease.isShared ? settleLater(this.desk) : Effect.void))
  }

  /** Starts the next question, if there is one. To be done by the holder of the lease. */
  private next(hasSlot: boolean): Effect.Effect<boolean> {
    const { desk } = this
    return Effect.suspend(() => {
      if (this.replacing) this.passedOver = true
      if (desk.session.draining() || this.replacing) return Effect.succeed(false)
      return Effect.flatMap(
        insist("taking the next question", desk.journal.dequeue(desk.session.self)),
        Option.match({
          onNone: () => Effect.succeed(false),
          onSome: (run) => {
            this.mayWait = true
            return Effect.flatMap(this.begin(run), (began) => this.took(began, hasSlot))
          }
        })
      )
    })
  }

  private took(began: boolean, hasSlot: boolean): Effect.Effect<boolean> {
    if (!began) return this.next(hasSlot)
    if (!hasSlot) this.desk.session.slots.hold()
    return Effect.succeed(true)
  }

  /** A question that was waiting. false: its app does not answer any more, and it is told so. */
  private begin(run: KnownRun): Effect.Effect<boolean> {
    const { desk } = this
    return Effect.gen(function* () {
      const opened = yield* Effect.either(
        retried(desk.openApp, untilDone, (error) => error._tag === "StorageError")
      )
      const app = Either.getOrElse(opened, () => null)
      const action = app === null ? undefined : desk.actionFor(run.action, app)
      if (app !== null && action !== undefined) {
        yield* start(desk, turnOf(run, action, app, decodePayload(run.payload)))
        return true
      }
      const error =
        Either.isLeft(opened) && opened.left._tag !== "StorageError"
          ? opened.left
          : new InvalidInput({ reason: `unknown action "${run.action}"` })
      yield* insist("ending a run", desk.journal.finish(run.runId, unstarted(error._tag)))
      desk.untold.tellFailed(run, app, error)
      return false
    })
  }

  /**
   * A question waits that this node did not begin: whoever runs the session looks for it at the end of the run, and where
   * nothing runs any more it begins here.
   */
  get left(): Effect.Effect<void> {
    const { desk } = this
    return Effect.asVoid(Effect.forkIn(Effect.zipRight(desk.session.lease.want, this.resume), desk.scope))
  }

  /** The question that was to take a place has it, or has left it: what was passed over is not forgotten. */
  get replaced(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.replacing = false
      if (!this.passedOver) return Effect.void
      this.passedOver = false
      // The run that was ended may not be quite over, and would take the queue for its own affair.
      const resume = Effect.suspend(() => Effect.zipRight(this.desk.runner.ended, this.resume))
      return Effect.asVoid(Effect.forkIn(resume, this.desk.scope))
    })
  }

  /** Starts what waits, as the holder of the lease and of the permit. */
  private get resumeHeld(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.desk.runner.active === null ? Effect.asVoid(this.next(false)) : Effect.void
    ).pipe(Effect.uninterruptible)
  }

  /** Starts what waits, where nobody runs the session. */
  get resume(): Effect.Effect<void> {
    const { desk } = this
    const resumed = Effect.suspend(() => desk.permit(holding(desk, this.resumeHeld)))
    return Effect.suspend(() => (desk.session.draining() ? Effect.succeed(false) : desk.journal.waits)).pipe(
      Effect.flatMap((waits) => (waits ? resumed : Effect.succeed(true))),
      Effect.flatMap((held) => (held ? Effect.void : askHolder(desk))),
      Effect.catchAll((error) => Effect.logWarning("the queue could not be read", error.cause))
    )
  }

  /** Goes on with what is this node's to go on with, and keeps nobody else from the rest. */
  get look(): Effect.Effect<void> {
    const { desk } = this
    const { lease } = desk.session
    return desk
      .permit(
        Effect.suspend(() =>
          desk.runner.active === null
            ? Effect.flatMap(holding(desk, this.resumeHeld), (held) => (held ? Effect.void : lease.giveBack))
            : Effect.void
        )
      )
      .pipe(Effect.uninterruptible)
  }

  /** Ends what a node that is gone has left of a run, and goes on with what waits. */
  takeOver(runId: string | null): Effect.Effect<void> {
    const { desk } = this
    const { session, journal, runner, openApp } = desk
    return desk
      .permit(
        Effect.suspend(() => {
          if (runner.active !== null) return Effect.succeed(true)
          const end = endLost({ session, journal, runner, openApp, runId })
          return holding(desk, Effect.zipRight(end, this.resumeHeld))
        })
      )
      .pipe(
        Effect.flatMap((held) => (held ? Effect.void : askHolder(desk))),
        Effect.uninterruptible
      )
  }
}

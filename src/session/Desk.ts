/**
 * What a session's questions share: the queue, the run in progress, the lease, and the rule of what comes next.
 *
 * The queue is in the database, where every node sees it; the node that holds the session's lease takes the
 * next question from it. A question that another node has accepted while this one runs the session is found
 * at the end of the run.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import { type AppError, InvalidInput, type RunFailed } from "../protocol/errors.ts"
import type { Action } from "../run/Actions.ts"
import type { Journal, KnownRun } from "../run/Journal.ts"
import type { Parked as Asked } from "../run/Recorder.ts"
import { retried } from "../storage/retried.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SessionOptions } from "./makeSession.ts"
import { OrphanWatch } from "./OrphanWatch.ts"
import { encodeKept, findParked, type Parked } from "./parked.ts"
import { Runner } from "./Runner.ts"
import { start } from "./starting.ts"
import { endLost } from "./takeover.ts"
import { decodePayload, type Turn, turnOf } from "./turn.ts"
import { UntoldEnds } from "./UntoldEnds.ts"

/** What must be done for an accepted question is tried until the database answers. */
const untilDone = Schedule.union(Schedule.exponential("50 millis"), Schedule.spaced("2 seconds"))

/** How a run ends that could not begin. */
export const unstarted = (error: string) => ({
  status: "failed" as const,
  error,
  promptTokens: 0,
  completionTokens: 0,
  messages: []
})

export class Desk {
  readonly session: SessionOptions
  readonly journal: Journal
  readonly runner: Runner
  /** Ends that are still to be told. */
  readonly untold: UntoldEnds
  readonly scope: Scope.Scope
  private readonly orphans: OrphanWatch
  private readonly permits = Effect.unsafeMakeSemaphore(1)
  /** Replies to the latest run here, so that one that comes again after its end is still known. */
  replied: ReadonlyArray<string> = []
  /** A question is about to take the place of the run in progress: what waits must not begin before it. */
  replacing = false
  /** A run has ended meanwhile, and what waits was left to that question to begin. */
  private passedOver = false
  /**
   * A question may be in the queue that was accepted here, or found there. Of those of other nodes this one hears when it
   * gives the lease back.
   */
  mayWait = true
  /** In debug mode the graph that came with the latest start; a reply is for the same. */
  draft: App | null = null

  /** Runs live in `scope`; `sockets` says how many are following here. */
  constructor(session: SessionOptions, scope: Scope.Scope, sockets: () => number) {
    this.session = session
    this.journal = session.own.journal()
    this.scope = scope
    this.runner = new Runner({
      session,
      journal: this.journal,
      scope,
      park: (turn, asked) => this.park(turn, asked),
      beforeEnd: Effect.suspend(() => this.untold.tell),
      onEnd: Effect.suspend(() => this.afterRun),
      onIdle: Effect.suspend(() => this.afterAll)
    })
    this.untold = new UntoldEnds(this, scope)
    this.orphans = new OrphanWatch({ session, runner: this.runner, scope, sockets })
  }

  /** One at a time: what decides whether a run begins. */
  permit<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return this.permits.withPermits(1)(effect)
  }

  get openApp(): Effect.Effect<App, AppError | StorageError> {
    return Effect.suspend(() => (this.draft === null ? this.session.own.openApp : Effect.succeed(this.draft)))
  }

  /** Clients ask or fill in a form; that the app answers with a document is the app's affair. */
  actionFor(name: string, app: App): Action | undefined {
    const { actions } = this.session
    const writes = app.report !== undefined && (name === "default" || name === "auto_file")
    return (writes ? actions["report"] : undefined) ?? actions[name]
  }

  parkedOf(app: App): Effect.Effect<Parked | null, StorageError> {
    return findParked(app, this.journal, this.session.actions)
  }

  private park(turn: Turn, { state, prompts }: Asked): Effect.Effect<void, StorageError> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      this.journal.park(turn.runId, {
        state: encodeKept({
          inputs: turn.inputs,
          text: turn.echo.message,
          state,
          prompts,
          replies: turn.replies
        }),
        until: new Date(now + Duration.toMillis(this.session.waitLimit))
      })
    )
  }

  insist<A, E>(what: string, effect: Effect.Effect<A, E>): Effect.Effect<A> {
    const tried = Effect.tapError(effect, (cause) => Effect.logWarning(`${what}: tried again`, cause))
    return Effect.orDie(retried(tried, untilDone))
  }

  /** The run that has ended here had a slot and the lease: the next question gets both, if there is one. */
  private get afterRun(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.session.lease.term() === 0 || !this.mayWait ? Effect.void : Effect.asVoid(this.next(true))
    )
  }

  private get afterAll(): Effect.Effect<void> {
    // A node that is alone accepts every question itself, and knows that none waits.
    return Effect.suspend(() => (this.session.lease.isShared ? this.settleLater : Effect.void))
  }

  /** Starts the next question of the queue, if there is one. To be done by the holder of the lease. */
  private next(hasSlot: boolean): Effect.Effect<boolean> {
    const { session, journal } = this
    return Effect.suspend(() => {
      if (this.replacing) this.passedOver = true
      if (session.draining() || this.replacing) return Effect.succeed(false)
      return Effect.flatMap(
        this.insist("taking the next question", journal.dequeue(session.self)),
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
    if (!hasSlot) this.session.slots.hold()
    return Effect.succeed(true)
  }

  /** A question that was waiting. false: its app does not answer any more, and it is told so. */
  private begin(run: KnownRun): Effect.Effect<boolean> {
    return Effect.gen(this, function* () {
      const opened = yield* Effect.either(
        retried(this.openApp, untilDone, (error) => error._tag === "StorageError")
      )
      const app = Either.getOrElse(opened, () => null)
      const action = app === null ? undefined : this.actionFor(run.action, app)
      if (app !== null && action !== undefined) {
        yield* start(this, turnOf(run, action, app, decodePayload(run.payload)))
        return true
      }
      const error =
        Either.isLeft(opened) && opened.left._tag !== "StorageError"
          ? opened.left
          : new InvalidInput({ reason: `unknown action "${run.action}"` })
      const ending = unstarted(error._tag)
      yield* this.insist("ending a run", this.journal.finish(run.runId, ending))
      this.untold.tellFailed(run, app, error)
      return false
    })
  }

  /** Ends the run that waits: its end is told like any other's. To be done by the holder of the lease. */
  endParked(app: App, exit: Exit.Exit<never, RunFailed>): Effect.Effect<boolean> {
    if (app.resume === undefined) return Effect.succeed(false)
    return Effect.flatMap(this.insist("looking for a run that waits", this.parkedOf(app)), (parked) => {
      if (parked === null) return Effect.succeed(false)
      return Effect.flatMap(
        this.runner.recorderOf(parked.turn).finish(exit, [], () => Effect.void),
        () => {
          if (this.session.lease.term() !== 0) this.session.log.endRun()
          return Effect.as(this.untold.mark([parked.turn.runId]), true)
        }
      )
    })
  }

  /**
   * Takes or keeps the lease; false where another node has it. What a node that is gone has left open in the log
   * is ended first: nothing may be told inside of it.
   */
  get hold(): Effect.Effect<boolean> {
    const { session, journal, runner, openApp } = this
    const { lease, log } = session
    return Effect.suspend(() => {
      const held =
        lease.term() !== 0
          ? lease.hold
          : Effect.flatMap(this.runsElsewhere, (elsewhere) =>
              elsewhere ? Effect.succeed(false) : lease.hold
            )
      return Effect.flatMap(held, (isHeld) =>
        isHeld && runner.active === null && log.standing.status !== "idle"
          ? Effect.as(endLost({ session, journal, runner, openApp, runId: null }), true)
          : Effect.succeed(isHeld)
      )
    })
  }

  /** Were the shared store to have lost that a living node runs the session, it would not be safe to claim it. */
  private get runsElsewhere(): Effect.Effect<boolean> {
    const { log, self, isDead } = this.session
    return Effect.suspend(() => {
      const { status, owner, runId } = log.standing
      if (status !== "running" || runId === null || owner === self || isDead(owner))
        return Effect.succeed(false)
      return this.journal.get(runId).pipe(
        Effect.map(Option.exists((run) => run.status === "running" && run.owner === owner)),
        Effect.orElseSucceed(() => true)
      )
    })
  }

  /** Holds the lease for `use`; false where another node has it. It is given back where nothing was started. */
  holding(use: Effect.Effect<void>): Effect.Effect<boolean> {
    return Effect.flatMap(this.hold, (isHeld) =>
      isHeld ? Effect.as(Effect.zipRight(use, this.settleLater), true) : Effect.succeed(false)
    )
  }

  /**
   * A question is in the queue that this node did not begin: whoever runs the session looks for it at the end of the run,
   * and where nothing runs any more it begins here.
   */
  get left(): Effect.Effect<void> {
    return Effect.asVoid(Effect.forkIn(Effect.zipRight(this.session.lease.want, this.resume), this.scope))
  }

  /** The question that was to take a place has it, or has left it: what was passed over is not forgotten. */
  get replaced(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.replacing = false
      if (!this.passedOver) return Effect.void
      this.passedOver = false
      // The run that was ended may not be quite over, and would take the queue for its own affair.
      const resume = Effect.suspend(() => Effect.zipRight(this.runner.ended, this.resume))
      return Effect.asVoid(Effect.forkIn(resume, this.scope))
    })
  }

  get settleLater(): Effect.Effect<void> {
    return Effect.asVoid(Effect.forkIn(this.settle, this.scope))
  }

  /** Gives the lease back when nothing runs. Whoever found it taken meanwhile, and left a question, is heard of then. */
  private get settle(): Effect.Effect<void> {
    const { lease } = this.session
    const release = Effect.suspend(() =>
      this.runner.active === null && lease.term() !== 0 ? lease.letGo : Effect.succeed(true)
    )
    return lease.delivered.pipe(
      Effect.zipRight(this.permit(release)),
      // Something was written and ended while the permit was waited for.
      Effect.repeat({ while: (isAtRest) => !isAtRest }),
      Effect.asVoid,
      Effect.interruptible
    )
  }

  /** Starts what waits, as the holder of the lease and of the permit. */
  private get resumeQueue(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.runner.active === null ? Effect.asVoid(this.next(false)) : Effect.void
    ).pipe(Effect.uninterruptible)
  }

  /** Whoever has the lease is about to look itself, or has lost sight of it. */
  get askHolder(): Effect.Effect<void> {
    const { lease, askAt, address, userId } = this.session
    return Effect.suspend(() =>
      lease.holder() === ""
        ? Effect.void
        : Effect.asVoid(askAt(lease.holder(), { ...address, userId, scope: "look", runId: null }))
    )
  }

  /** Goes on with what is this node's to go on with, and keeps nobody else from the rest. */
  get look(): Effect.Effect<void> {
    const { lease } = this.session
    return this.permit(
      Effect.suspend(() =>
        this.runner.active === null
          ? Effect.flatMap(this.holding(this.resumeQueue), (held) => (held ? Effect.void : lease.giveBack))
          : Effect.void
      )
    ).pipe(Effect.uninterruptible)
  }

  /** Starts what waits, where nobody runs the session. */
  get resume(): Effect.Effect<void> {
    const resumed = Effect.suspend(() => this.permit(this.holding(this.resumeQueue)))
    return Effect.suspend(() => (this.session.draining() ? Effect.succeed(false) : this.journal.waits)).pipe(
      Effect.flatMap((waits) => (waits ? resumed : Effect.succeed(true))),
      Effect.flatMap((held) => (held ? Effect.void : this.askHolder)),
      Effect.catchAll((error) => Effect.logWarning("the queue could not be read", error.cause))
    )
  }

  /** Ends what a node that is gone has left of a run, and goes on with the queue. */
  takeOver(runId: string | null): Effect.Effect<void> {
    const { session, journal, runner, openApp } = this
    return this.permit(
      Effect.suspend(() => {
        if (runner.active !== null) return Effect.succeed(true)
        const end = endLost({ session, journal, runner, openApp, runId })
        return this.holding(Effect.zipRight(end, this.resumeQueue))
      })
    ).pipe(
      Effect.flatMap((held) => (held ? Effect.void : this.askHolder)),
      Effect.uninterruptible
    )
  }

  /** To be done when a socket has come or gone, and when a run begins. */
  get watchOrphan(): Effect.Effect<void> {
    return this.orphans.look
  }
}

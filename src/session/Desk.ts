/** What a session's questions share: the app, the run in progress, what comes next, and what is still to be told. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import { type AppError, Leaving, Overloaded, type RunFailed } from "../protocol/errors.ts"
import type { Action } from "../run/Actions.ts"
import type { Journal } from "../run/Journal.ts"
import type { Parked as Asked } from "../run/Recorder.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { insist } from "./insist.ts"
import type { SessionOptions } from "./makeSession.ts"
import { OrphanWatch } from "./OrphanWatch.ts"
import { encodeKept, findParked, type Parked } from "./parked.ts"
import { Queue } from "./Queue.ts"
import { Runner } from "./Runner.ts"
import type { Turn } from "./turn.ts"
import { UntoldEnds } from "./UntoldEnds.ts"

export class Desk {
  readonly session: SessionOptions
  readonly journal: Journal
  readonly runner: Runner
  readonly queue: Queue
  /** Ends that are still to be told. */
  readonly untold: UntoldEnds
  readonly scope: Scope.Scope
  private readonly orphans: OrphanWatch
  private readonly permits = Effect.unsafeMakeSemaphore(1)
  /** Replies to the latest run here, so that one that comes again after its end is still known. */
  replied: ReadonlyArray<string> = []
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
      onEnd: Effect.suspend(() => this.queue.afterRun),
      onIdle: Effect.suspend(() => this.queue.afterAll)
    })
    this.queue = new Queue(this)
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

  /** Fails with the reason for which there is no slot for a run. */
  get noSlot(): Effect.Effect<never, Leaving | Overloaded> {
    return Effect.suspend(
      (): Effect.Effect<never, Leaving | Overloaded> =>
        this.session.draining() ? new Leaving() : new Overloaded({ retryAfterMs: 1000 })
    )
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

  /** Ends the run that waits: its end is told like any other's. To be done by the holder of the lease. */
  endParked(app: App, exit: Exit.Exit<never, RunFailed>): Effect.Effect<boolean> {
    if (app.resume === undefined) return Effect.succeed(false)
    return Effect.flatMap(insist("looking for a run that waits", this.parkedOf(app)), (parked) => {
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

  /** To be done when a socket has come or gone, and when a run begins. */
  get watchOrphan(): Effect.Effect<void> {
    return this.orphans.look
  }
}

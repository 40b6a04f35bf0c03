/**
 * At most one run of a session: begun, interrupted, brought to its end. What comes after it is not decided
 * here.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import type { AppKind } from "../app/App.ts"
import type { RunFailed } from "../protocol/errors.ts"
import type { Frame } from "../protocol/frames.ts"
import { Projection, profiles } from "../protocol/projection.ts"
import type { Action } from "../run/Actions.ts"
import { HeldSink } from "../run/HeldSink.ts"
import type { Journal } from "../run/Journal.ts"
import { type Parked as Asked, Recorder } from "../run/Recorder.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SessionOptions } from "./makeSession.ts"
import { Ready, type ReadyOptions } from "./Ready.ts"
import type { Turn } from "./turn.ts"

/** How long the end of a run waits for its beginning to be told, where the store that tells it does not answer. */
const beginWithin = "10 seconds"

type RunEvents = ReturnType<Action["run"]>
type Run = Effect.Effect<void, RunFailed | StorageError>

interface Active {
  readonly turn: Turn
  /** null when the run goes on after a reply: its `begin` was sent before. */
  readonly begin: Frame | null
  readonly fiber: Fiber.RuntimeFiber<void, RunFailed | StorageError>
  /** Done when the run's `close` is in the log and what comes after it is decided. */
  readonly closed: Deferred.Deferred<void>
}

/** A run as far as its frames need to know it. */
export interface Told {
  readonly runId: string
  readonly userId: number
  readonly kind: AppKind
}

export const toldOf = ({ runId, userId, app }: Pick<Turn, "runId" | "userId" | "app">): Told => ({
  runId,
  userId,
  kind: app.kind
})

export interface RunnerOptions {
  readonly session: SessionOptions
  readonly journal: Journal
  readonly scope: Scope.Scope
  readonly park: (turn: Turn, asked: Asked) => Effect.Effect<void, StorageError>
  /** Between a run's last frame and its standing as ended. */
  readonly beforeEnd: Effect.Effect<void>
  /** Decides what comes next; nobody sees the session idle before that. */
  readonly onEnd: Effect.Effect<void>
  /** Nothing came next. */
  readonly onIdle: Effect.Effect<void>
}

export class Runner {
  private readonly options: RunnerOptions
  private current: Active | null = null

  constructor(options: RunnerOptions) {
    this.options = options
  }

  get active(): Active | null {
    return this.current
  }

  /** When the run in progress has ended, and what comes after it is decided. */
  get ended(): Effect.Effect<void> {
    return Effect.suspend(() => (this.current === null ? Effect.void : Deferred.await(this.current.closed)))
  }

  projectionOf({ runId, kind, userId }: Told): Projection {
    return new Projection(this.options.session.address, runId, userId, profiles[kind])
  }

  recorderOf(turn: Turn): Recorder {
    return this.recorderFor(toldOf(turn))
  }

  /** Its frames go to the log as long as the lease is the one of now. */
  recorderFor(run: Told): Recorder {
    const { journal, session } = this.options
    const { log, lease, judge, address } = session
    const term = lease.term()
    return new Recorder({
      runId: run.runId,
      kind: run.kind,
      journal,
      log: {
        append: (frame) => (term !== 0 && lease.term() === term ? log.append(frame) : frame),
        delta: (kind, text, bubble) => {
          if (term !== 0 && lease.term() === term) log.delta(kind, text, bubble)
        }
      },
      frames: this.projectionOf(run),
      judge: (passages) => judge.source(passages, run.userId),
      asker: { userId: run.userId, chatId: address.chatId }
    })
  }

  /** A run that waits to be launched. */
  ready(told: Told, events: RunEvents): Effect.Effect<Ready> {
    return this.readied(told, (recorder, gate) => ({
      run: Effect.zipRight(gate.await, recorder.run(events)),
      held: null
    }))
  }

  /** The same of one that does as much as it can before it says something. */
  begunAhead(told: Told, events: RunEvents): Effect.Effect<Ready> {
    return this.readied(told, (recorder, gate) => {
      const held = new HeldSink(recorder.sink)
      return { run: recorder.run(events, { sink: held, turn: gate.await }), held }
    })
  }

  private readied(
    told: Told,
    begin: (recorder: Recorder, gate: Effect.Latch) => Pick<ReadyOptions, "held"> & { readonly run: Run }
  ): Effect.Effect<Ready> {
    const { scope, session } = this.options
    return Effect.suspend(() => {
      const recorder = this.recorderFor(told)
      const gate = Effect.unsafeMakeLatch(false)
      const { run, held } = begin(recorder, gate)
      const term = session.lease.term()
      return Effect.map(
        Effect.forkIn(Effect.interruptible(run), scope),
        (fiber) => new Ready({ recorder, fiber, term, gate, held })
      )
    })
  }

  /**
   * Begins a run, or goes on with one. Its fiber exists before anyone is told of it, and waits at a gate until
   * it is `active`: from the client's first sight of the run, a stop finds something to interrupt.
   */
  launch(
    turn: Turn,
    ready: Effect.Effect<Ready>,
    open: (recorder: Recorder) => Frame | null
  ): Effect.Effect<void> {
    const { session, scope } = this.options
    return Effect.flatMap(ready, (run) => {
      const { recorder, fiber } = run
      const closed = Deferred.unsafeMake<void>(FiberId.none)
      // The lease may have been lost since it was held: the run is another node's to end.
      const isOurs = session.lease.term() !== 0
      if (isOurs) session.log.beginRun(turn.runId, session.self)
      this.current = { turn, begin: isOurs ? open(recorder) : null, fiber, closed }
      if (isOurs) run.goOn()
      const supervised = Effect.forkIn(this.supervise(turn, fiber, recorder, closed), scope)
      return Effect.asVoid(isOurs ? supervised : Effect.zipRight(run.giveUp, supervised))
    }).pipe(Effect.uninterruptible)
  }

  /** Waits for the run's end, whatever it is, and settles it. */
  private supervise(
    turn: Turn,
    fiber: Active["fiber"],
    recorder: Recorder,
    closed: Deferred.Deferred<void>
  ): Effect.Effect<void> {
    const { session } = this.options
    const term = session.lease.term()
    return session.own.retain.pipe(
      Effect.flatMap((letGo) =>
        Effect.ensuring(
          Runner.settled(this, turn, term, fiber, recorder, closed),
          Effect.suspend(() => {
            session.checkpoints.leave(recorder)
            return letGo
          })
        )
      ),
      Effect.uninterruptible
    )
  }

  private static readonly settled = Effect.fnUntraced(function* (
    runner: Runner,
    turn: Turn,
    term: number,
    fiber: Active["fiber"],
    recorder: Recorder,
    closed: Deferred.Deferred<void>
  ) {
    const { session, park, beforeEnd, onEnd, onIdle } = runner.options
    const { lease, log } = session
    session.checkpoints.watch(recorder)
    const awaited = yield* Effect.exit(Effect.interruptible(Fiber.await(fiber)))
    const exit = Exit.isSuccess(awaited) ? awaited.value : yield* Fiber.interrupt(fiber)
    // A run that has ended before anybody was told of it could not be told of by another node either.
    if (lease.term() === term && log.lastSeq < log.standing.runStart) {
      yield* lease.delivered.pipe(Effect.interruptible, Effect.timeoutOption(beginWithin))
    }
    // Where another node has taken the session, it is that node which ends the run.
    if (term !== 0 && lease.term() === term) {
      const waits = yield* recorder.finish(exit, turn.open, (asked) => park(turn, asked))
      if (waits === null) yield* beforeEnd
      if (lease.term() === term) {
        if (waits === null) log.endRun()
        else log.parkRun(turn.runId)
      }
    }
    const ended = runner.current
    yield* onEnd
    const isLast = runner.current === ended
    if (isLast) {
      runner.current = null
      session.slots.release()
    }
    yield* Deferred.succeed(closed, undefined)
    if (isLast) yield* onIdle
  })

  /** Ends the run in progress, and waits for its end. false: there is none, or it is another one. */
  interrupt(runId: string | null): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      if (this.current === null || (runId !== null && this.current.turn.runId !== runId)) {
        return Effect.succeed(false)
      }
      const { fiber, closed } = this.current
      return Effect.as(Effect.zipRight(Fiber.interruptFork(fiber), Deferred.await(closed)), true)
    })
  }

  /** Ends it without waiting: it is another node's now. */
  get abandon(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.current === null ? Effect.void : Fiber.interruptFork(this.current.fiber)
    )
  }
}

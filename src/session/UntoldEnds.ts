/**
 * Ends of runs that waited, for their turn or for a person, and that somebody else may be waiting for. They are told as
 * begun and closed, between two runs, so that their `close` is never taken for another's. The database remembers them
 * until every node can know of them: whoever is gone before that leaves them to others (`caretaker`).
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import type { ProtocolError } from "../protocol/errors.ts"
import type { KnownRun } from "../run/Journal.ts"
import type { Recorder } from "../run/Recorder.ts"
import type { ChatMessage } from "../storage/rows.ts"
import type { Desk } from "./Desk.ts"
import { askHolder, holding } from "./holding.ts"
import { insist } from "./insist.ts"
import { decodePayload, echoOf } from "./turn.ts"

interface Ended {
  readonly run: KnownRun
  readonly rows: ReadonlyArray<ChatMessage>
}

export class UntoldEnds {
  private readonly desk: Desk
  private readonly scope: Scope.Scope
  private readonly ends: Array<Ended> = []

  /** What is told later is told in the scope. */
  constructor(desk: Desk, scope: Scope.Scope) {
    this.desk = desk
    this.scope = scope
  }

  get any(): boolean {
    return this.ends.length > 0
  }

  /** Questions that were taken out of the queue. */
  add(cancelled: ReadonlyArray<KnownRun>): void {
    for (const run of cancelled) this.ends.push({ run, rows: [] })
  }

  /** Of a run that somebody else has ended, and could not tell of. */
  tellEnd(runId: string): Effect.Effect<void> {
    const { journal } = this.desk
    return Effect.gen(this, function* () {
      const run = yield* journal.get(runId)
      if (Option.isNone(run) || this.ends.some((other) => other.run.runId === runId)) return
      this.ends.push({ run: run.value, rows: yield* journal.past(runId) })
      yield* this.tellLater
    }).pipe(
      Effect.catchAll((error) => Effect.logWarning("a run that has ended could not be read", error.cause)),
      Effect.uninterruptible
    )
  }

  /** To be done by the holder of the lease, between two runs. */
  get tell(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const ends = this.ends.splice(0)
      if (ends.length === 0) return Effect.void
      return Effect.map(Effect.either(this.desk.openApp), (opened) => {
        const app = Either.getOrElse(opened, () => null)
        for (const { run, rows } of ends) {
          if (this.desk.session.log.tellsEndOf(run.runId)) continue
          this.wholeLife(run, app, (recorder) => recorder.tellWhole(questionOf(run), run, rows))
        }
      }).pipe(Effect.zipRight(this.mark(ends.map(({ run }) => run.runId))))
    })
  }

  /** The same where no run is in progress, as soon as this node may speak in the session. */
  get tellLater(): Effect.Effect<void> {
    const { desk } = this
    const tell = Effect.suspend(() =>
      desk.runner.active === null && this.any ? holding(desk, this.tell) : Effect.succeed(true)
    )
    return Effect.suspend(() => Effect.zipRight(desk.runner.ended, desk.permit(tell))).pipe(
      // It may not know that it holds the session: the answer to its claim was lost.
      Effect.flatMap((held) => (held ? Effect.void : askHolder(desk))),
      Effect.repeat({ while: () => this.any, schedule: Schedule.spaced("250 millis") }),
      Effect.forkIn(this.scope),
      Effect.when(() => this.any),
      Effect.asVoid
    )
  }

  /** A question that waited and could not be started. */
  tellFailed(run: KnownRun, app: App | null, error: ProtocolError): void {
    this.wholeLife(run, app, (recorder) => recorder.tellUnstarted(questionOf(run), error))
  }

  /** What is told counts as told when every node can know it. */
  mark(runIds: ReadonlyArray<string>): Effect.Effect<void> {
    const { desk } = this
    const mark = Effect.suspend(() =>
      insist(
        "marking runs as told",
        desk.journal.told(runIds.filter((runId) => desk.session.log.tellsEndOf(runId)))
      )
    )
    return desk.session.lease.delivered.pipe(
      Effect.zipRight(mark),
      Effect.interruptible,
      Effect.forkIn(this.scope),
      Effect.asVoid
    )
  }

  private wholeLife(run: KnownRun, app: App | null, tell: (recorder: Recorder) => void): void {
    const { session, runner } = this.desk
    const { lease, log, self } = session
    if (lease.term() === 0) return
    const { runId, userId } = run
    const before = log.standing
    log.beginRun(runId, self)
    tell(runner.recorderFor({ runId, userId, kind: app?.kind ?? "assistant" }))
    if (before.status === "waiting" && before.runId !== null) log.parkRun(before.runId)
    else log.endRun()
  }
}

const questionOf = (run: KnownRun) => echoOf(run, decodePayload(run.payload).text)

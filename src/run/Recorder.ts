/**
 * Folds a run's events into stored rows and frames.
 *
 * Promises:
 * - A row is committed before the frame that carries its id leaves.
 * - However the run ends (done, stopped, failed, defect), `finish` stores what was streamed, closes what is
 *   open and emits exactly one `close`, as the run's last frame. A run that waits for a person has not ended:
 *   it is parked, and another recorder goes on with it.
 * - Text goes through the sinks synchronously: no Effect per token.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Stream from "effect/Stream"
import type { JudgeService } from "../app/Judge.ts"
import { Asker, type AskerShape } from "../model/Asker.ts"
import { type ProtocolError, RunFailed, RunLost, tell } from "../protocol/errors.ts"
import { forEachEvent } from "../protocol/eventStream.ts"
import type { Frame, Json, QuestionEcho } from "../protocol/frames.ts"
import type { Projection } from "../protocol/projection.ts"
import {
  type Answer,
  type Answered,
  Deltas,
  noUsage,
  type OnStop,
  type Passage,
  type RunEvent,
  type RunSink,
  type Told,
  type ToolEnded,
  type ToolStarted,
  type Usage
} from "../protocol/RunEvent.ts"
import type { Ending } from "../storage/Runs.ts"
import { retried } from "../storage/retried.ts"
import type { breakAnswer, ChatMessage, NewMessage } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { brokenEnd } from "./brokenEnd.ts"
import { presentable } from "./defects.ts"
import { Drafts, type Streamed } from "./drafts.ts"
import { type FrameSink, FrameWriter } from "./FrameWriter.ts"
import type { Journal, KnownRun } from "./Journal.ts"
import { toolRow } from "./memory.ts"
import { framesOf, restOf } from "./retelling.ts"
import { type EndedOtherwise, finishRetries, storeEnd } from "./storedEnd.ts"
import { answerRow, telling } from "./telling.ts"

type Judging = (passages: ReadonlyArray<Passage>) => ReturnType<JudgeService["source"]>

/** What a run that waits needs to go on, and what it asked. */
export interface Parked {
  readonly state: Json
  /** As they were sent; said again to whoever asks. */
  readonly prompts: ReadonlyArray<Frame>
}

/** What a stopped run may still have to say. */
const lastWords = Duration.seconds(15)

/** How the run's events came to their end; null: there was none. */
type Outcome =
  | Answered
  | { readonly _tag: "Finished"; readonly usage: Usage }
  | { readonly _tag: "Waiting"; readonly state: Json }

export class Recorder {
  readonly runId: string
  readonly drafts: Drafts
  private readonly journal: Journal
  private readonly writer: FrameWriter
  private readonly judge: Judging
  private readonly asker: AskerShape
  private readonly kind: RunFailed["kind"]
  private readonly openTools = new Map<string, ToolStarted>()
  /** What asks the person something: told when the run is parked, for until then nobody could reply. */
  private readonly prompts: Array<Frame> = []
  private outcome: Outcome | null = null
  private onStop: OnStop | null = null
  readonly sink: RunSink

  constructor(options: {
    readonly runId: string
    readonly kind: RunFailed["kind"]
    readonly journal: Journal
    readonly log: FrameSink
    readonly frames: Projection
    /** Where an answer comes from, for the one it is for. */
    readonly judge: Judging
    readonly asker: AskerShape
  }) {
    this.runId = options.runId
    this.kind = options.kind
    this.journal = options.journal
    this.writer = new FrameWriter(options.log, options.frames)
    this.judge = options.judge
    this.asker = options.asker
    this.drafts = new Drafts(this.kind)
    this.sink = this.writer.sink(this.drafts)
  }

  private get frames(): Projection {
    return this.writer.frames
  }

  /** The first frames: accepted, and a bubble for what is going on. */
  begin(question: QuestionEcho): Frame {
    return this.writer.begin(question)
  }

  /** The run goes on after a reply. */
  goOn(reply: QuestionEcho): void {
    this.writer.goOn(reply)
  }

  /** Of a run that ended while it waited: its whole life at once, so that no client waits for it. */
  tellWhole(question: QuestionEcho, run: KnownRun, rows: ReadonlyArray<ChatMessage>): void {
    this.begin(question)
    this.tellRows(run, rows)
    this.append(this.frames.closed())
  }

  /** The same of one that could not be started. */
  tellUnstarted(question: QuestionEcho, error: ProtocolError): void {
    this.begin(question)
    this.append(this.frames.failed(tell(error)))
    this.append(this.frames.closed())
  }

  /** Ends the run in place of the server that ran it; this is what it had streamed. */
  endLost(streamed: Streamed): Effect.Effect<void, StorageError> {
    this.recall(streamed)
    return this.broke("lost", new RunLost()).pipe(
      Effect.catchTag("EndedOtherwise", ({ run }) => this.tellStored(run)),
      Effect.map(() => this.append(this.frames.closed()))
    )
  }

  /** The end of a run that has ended in the database, and of which that was never told; this is what it had streamed. */
  tellEnd(run: KnownRun, streamed: Streamed): Effect.Effect<void, StorageError> {
    this.recall(streamed)
    return Effect.map(this.tellStored(run), () => this.append(this.frames.closed()))
  }

  private recall({ text, reasoning }: Streamed): void {
    this.drafts.add("reasoning_content", reasoning)
    this.drafts.add("content", text)
  }

  private tellStored(run: KnownRun): Effect.Effect<void, StorageError> {
    return Effect.map(retried(this.journal.past(this.runId), finishRetries), (rows) =>
      this.tellRows(run, rows)
    )
  }

  private tellRows(run: KnownRun, rows: ReadonlyArray<ChatMessage>): void {
    const { kind, frames, writer } = this
    const retelling = { run, rows, kind, frames, streamed: this.drafts.own }
    for (const rest of restOf(retelling)) writer.text(rest.kind, rest.text)
    this.appendAll(framesOf(retelling))
  }

  /** Says a frame again that was said in vain. */
  repeat({ seq: _, ...frame }: Frame): void {
    this.append(frame)
  }

  /**
   * Runs the app's events through, to the end or until interrupted. `ahead`: nobody knows of the run yet; its text goes
   * to that sink, and no event further than here until it is its turn.
   */
  run(
    events: Stream.Stream<RunEvent, RunFailed | StorageError, Deltas>,
    ahead: { readonly sink: RunSink; readonly turn: Effect.Effect<void> } | null = null
  ): Effect.Effect<void, RunFailed | StorageError> {
    const services = Context.make(Deltas, ahead?.sink ?? this.sink).pipe(Context.add(Asker, this.asker))
    const on = (event: RunEvent) =>
      ahead === null
        ? this.on(event)
        : Effect.zipRight(
            ahead.turn,
            Effect.suspend(() => this.on(event))
          )
    return Effect.provide(forEachEvent(events, on), services)
  }

  private append(frame: Frame): void {
    this.writer.append(frame)
  }

  private appendAll(frames: ReadonlyArray<Frame>): void {
    for (const frame of frames) this.writer.append(frame)
  }

  private on(event: RunEvent): Effect.Effect<void, StorageError> {
    switch (event._tag) {
      case "TextDelta":
        return Effect.sync(() => this.sink.text(event.text))
      case "ReasoningDelta":
        return Effect.sync(() => this.sink.reasoning(event.text))
      case "Step":
        return Effect.sync(() => this.writer.step(event.text))
      case "ToolStarted":
        return Effect.sync(() => {
          this.openTools.set(event.id, event)
          this.append(this.frames.toolStarted(event))
        })
      case "ToolEnded":
        return this.toolEnded(event)
      case "Answered":
        return Effect.map(this.judged(event), (answered) => {
          this.outcome = answered
        })
      case "Finished":
      case "Waiting":
        return Effect.sync(() => {
          this.outcome = event
        })
      case "OnStop":
        return Effect.sync(() => {
          this.onStop = event
        })
      case "PartAnswered":
      case "NodeStreamed":
      case "NodeSaid":
        return Effect.flatMap(this.judged(event), (judged) => this.tell(judged))
      default:
        return this.tell(event)
    }
  }

  /** What the app retrieved is one thing, what the asker may see of it another. */
  private judged<A extends { readonly passages: ReadonlyArray<Passage>; readonly extra?: Answer["extra"] }>(
    event: A
  ): Effect.Effect<A, StorageError> {
    if (event.passages.length === 0) return Effect.succeed(event)
    return Effect.map(this.judge(event.passages), ({ source, extra }) => ({
      ...event,
      source,
      extra: { ...event.extra, ...extra }
    }))
  }

  /** Row and frame belong together: a stop waits for both. */
  private toolEnded(event: ToolEnded): Effect.Effect<void, StorageError> {
    return Effect.uninterruptible(
      Effect.suspend(() => {
        const started = this.openTools.get(event.id)
        if (started === undefined) return Effect.dieMessage(`tool ${event.id} ended before it started`)
        return Effect.map(this.journal.record(this.runId, [toolRow(started, event)]), (ids) => {
          this.openTools.delete(event.id)
          this.append(this.frames.toolEnded(started, event, ids[0] ?? null))
        })
      })
    )
  }

  /** The same for what is told at once, together with the text that it ends. */
  private tell(event: Told): Effect.Effect<void, StorageError> {
    return Effect.gen(this, function* () {
      const { row, settles, frames } = telling(event, this.frames, this.writer.steps)
      const node = event._tag === "NodeStreamed" ? event.run.uniqueId : null
      const reasoning = settles && node === null ? this.drafts.own.reasoning : ""
      const rows = [
        ...(reasoning === "" ? [] : [bubble("reasoning_answer", reasoning, "")]),
        ...(row === null ? [] : [row])
      ]
      const store = settles ? this.settled(rows, node) : this.journal.record(this.runId, rows)
      const ids = rows.length === 0 ? [] : yield* store
      this.writer.turnPage(event, node === null && row !== null)
      if (settles && node === null) this.writer.forgetSteps()
      for (const frame of frames(ids.at(-1) ?? null)) {
        if (asks(event)) this.prompts.push(frame)
        else this.append(frame)
      }
    }).pipe(Effect.uninterruptible)
  }

  /** Stores rows that hold what was streamed; from then on it is no draft any more. */
  private settled(rows: ReadonlyArray<NewMessage>, node: string | null) {
    return this.drafts.settle(node, this.journal.settle(this.runId, rows))
  }

  /**
   * Stores the run's end and emits its last frames; or parks it, and answers what it waits with: `before` is what
   * it had asked already. Never fails; to be run uninterruptibly, once.
   */
  finish(
    exit: Exit.Exit<void, RunFailed | StorageError>,
    before: ReadonlyArray<Frame>,
    park: (parked: Parked) => Effect.Effect<void, StorageError>
  ): Effect.Effect<Parked | null> {
    const settled = (): Effect.Effect<Parked | null, StorageError | EndedOtherwise> => {
      const outcome = this.outcome
      const waits = outcome?._tag === "Waiting" && Exit.isSuccess(exit)
      if (!waits) this.tellPrompts()
      // What is complete stays complete, even if the stop came before it was stored.
      const isComplete = Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)
      if (outcome !== null && isComplete) {
        if (outcome._tag === "Answered") return Effect.as(this.completed(outcome), null)
        if (outcome._tag === "Finished") return Effect.as(this.finished(outcome.usage), null)
        if (Exit.isSuccess(exit))
          return this.parked({ state: outcome.state, prompts: [...before, ...this.prompts] }, park)
      }
      return Effect.as(this.unfinished(exit), null)
    }
    return Effect.suspend(settled).pipe(
      Effect.catchTag("EndedOtherwise", ({ run }) => Effect.as(this.tellStored(run), null)),
      Effect.catchAllCause((cause) =>
        Effect.map(presentable(this.runId, cause), (error) => {
          this.append(this.frames.failed(tell(error)))
          return null
        })
      ),
      Effect.tap((parked) => Effect.sync(() => parked ?? this.append(this.frames.closed())))
    )
  }

  /** Without an end of its own. */
  private unfinished(
    exit: Exit.Exit<void, RunFailed | StorageError>
  ): Effect.Effect<void, StorageError | EndedOtherwise> {
    if (Exit.isSuccess(exit)) {
      return this.broke("failed", new RunFailed({ reason: "the app gave no answer", kind: this.kind }))
    }
    return Cause.isInterruptedOnly(exit.cause)
      ? Effect.flatMap(this.sayLastWords, () => this.broke("stopped", null))
      : Effect.flatMap(presentable(this.runId, exit.cause), (error) => this.broke("failed", error))
  }

  /** What the run left to be said when it is stopped. */
  private get sayLastWords(): Effect.Effect<void> {
    if (this.onStop === null) return Effect.void
    return forEachEvent(this.onStop.events, (event) => this.tell(event)).pipe(
      Effect.interruptible,
      Effect.timeout(lastWords),
      Effect.catchAllCause((cause) =>
        Effect.logWarning(`run ${this.runId} was stopped without its end`, cause)
      )
    )
  }

  private parked(parked: Parked, park: (parked: Parked) => Effect.Effect<void, StorageError>) {
    return Effect.map(retried(park(parked), finishRetries), () => {
      this.tellPrompts()
      return parked
    })
  }

  private tellPrompts(): void {
    this.appendAll(this.prompts.splice(0))
  }

  private completed(answer: Answered): Effect.Effect<void, StorageError | EndedOtherwise> {
    const { reasoning, text } = this.drafts.own
    const { steps } = this.writer
    const rows = [
      ...(reasoning === "" ? [] : [bubble("reasoning_answer", reasoning, "")]),
      answerRow(answer, { intermediate_steps: steps })
    ]
    return Effect.map(this.end("done", "", rows, answer.usage), (ids) => {
      this.append(this.frames.processingEnded(steps))
      this.appendAll(this.frames.answer(answer, text !== "", ids.at(-1) ?? null))
    })
  }

  private finished(usage: Usage): Effect.Effect<void, StorageError | EndedOtherwise> {
    return Effect.map(this.end("done", "", [], usage), () => this.writer.close())
  }

  /** Stopped, failed, or given up by the server that ran it. */
  private broke(
    status: "stopped" | "failed" | "lost",
    error: ProtocolError | null
  ): Effect.Effect<void, StorageError | EndedOtherwise> {
    const { drafts, frames } = this
    const end = brokenEnd({ error, openTools: this.openTools.values(), drafts, frames })
    return Effect.map(this.end(status, end.reason, end.rows), (ids) => this.appendAll(end.frames(ids)))
  }

  private end(
    status: Ending["status"],
    error: string,
    messages: ReadonlyArray<NewMessage>,
    { promptTokens, completionTokens }: Usage = noUsage
  ) {
    return storeEnd(this.journal, this.runId, { status, error, messages, promptTokens, completionTokens })
  }
}

const asks = (event: Told): boolean =>
  (event._tag === "NodeSaid" && event.category !== "output_msg") ||
  (event._tag === "Utterance" && event.receiver?.isSelf === true)

const bubble = (
  category: "answer" | "reasoning_answer",
  message: string,
  remark: "" | typeof breakAnswer
): NewMessage => ({ is_bot: true, type: "end", category, message, remark })

/**
 * Folds a run's events into stored rows and frames.
 *
 * Promises:
 * - A row is committed before the frame that carries its id leaves.
 * - However the run ends (done, stopped, failed, defect), `finish` stores what was streamed, closes what is
 *   open and emits exactly one `close`, as the run's last frame.
 * - Text goes through the sink synchronously: no Effect per token.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Defect, type ProtocolError, RunFailed, tell } from "../protocol/errors.ts"
import type { Frame, QuestionEcho } from "../protocol/frames.ts"
import type { Projection } from "../protocol/projection.ts"
import {
  type Answered,
  type DeltaSink,
  Deltas,
  noUsage,
  type RunEvent,
  type ToolEnded,
  type ToolStarted
} from "../protocol/RunEvent.ts"
import type { Ending } from "../storage/Runs.ts"
import { breakAnswer, type NewMessage } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Journal } from "./Journal.ts"
import { toolRow } from "./memory.ts"

/** Where frames go: the session's log. */
export interface FrameSink {
  readonly append: (frame: Frame) => Frame
  readonly delta: (kind: "content" | "reasoning_content", text: string, runId: string) => void
}

/** A run's streamed text at most, in characters; beyond it the run fails. */
const maxChars = 4 * 1024 * 1024

/** A finish that the database refuses is tried again this often before the client is told. */
const finishRetries = Schedule.intersect(Schedule.exponential("100 millis"), Schedule.recurs(5))

export class Recorder {
  readonly runId: string
  private readonly journal: Journal
  private readonly log: FrameSink
  private readonly frames: Projection
  private readonly kind: RunFailed["kind"]
  private readonly openTools = new Map<string, ToolStarted>()
  private text = ""
  private reasoning = ""
  private steps = ""
  private answer: Answered | null = null
  /** Up to where the partial answer is stored. */
  private storedText = 0
  private storedReasoning = 0
  readonly sink: DeltaSink

  constructor(options: {
    readonly runId: string
    readonly kind: RunFailed["kind"]
    readonly journal: Journal
    readonly log: FrameSink
    readonly frames: Projection
  }) {
    this.runId = options.runId
    this.kind = options.kind
    this.journal = options.journal
    this.log = options.log
    this.frames = options.frames
    this.sink = {
      text: (delta) => {
        this.bound(delta)
        this.text += delta
        this.log.delta("content", delta, this.runId)
      },
      reasoning: (delta) => {
        this.bound(delta)
        this.reasoning += delta
        this.log.delta("reasoning_content", delta, this.runId)
      }
    }
  }

  private bound(delta: string): void {
    if (this.text.length + this.reasoning.length + delta.length > maxChars) {
      throw new RunFailed({ reason: "the answer is longer than this server allows", kind: this.kind })
    }
  }

  /** The first frames: accepted, and a bubble for what is going on. */
  begin(question: QuestionEcho): Frame {
    const begun = this.log.append(this.frames.begin(question))
    this.log.append(this.frames.processingStarted())
    return begun
  }

  /** For a run that will not start: its whole life at once, so that no client waits for it. */
  cancel(question: QuestionEcho): Effect.Effect<void> {
    return this.end("stopped", "", []).pipe(
      Effect.catchAllCause((cause) => loggedDefect(`run ${this.runId}`, cause)),
      Effect.map(() => {
        this.begin(question)
        this.log.append(this.frames.stopped())
        this.log.append(this.frames.closed())
      })
    )
  }

  /** Runs the app's events through, to the end or until interrupted. */
  run(
    events: Stream.Stream<RunEvent, RunFailed | StorageError, Deltas>
  ): Effect.Effect<void, RunFailed | StorageError> {
    return Effect.zipRight(
      this.journal.start(this.runId),
      Stream.runForEach(events, (event) => this.on(event))
    ).pipe(Effect.provideService(Deltas, this.sink))
  }

  /** Streamed text that no checkpoint has stored yet, or null. Taking it counts as storing it. */
  takePartial(): { readonly text: string; readonly reasoning: string } | null {
    if (this.text.length === this.storedText && this.reasoning.length === this.storedReasoning) return null
    const part = {
      text: this.text.slice(this.storedText),
      reasoning: this.reasoning.slice(this.storedReasoning)
    }
    this.storedText = this.text.length
    this.storedReasoning = this.reasoning.length
    return part
  }

  /** A checkpoint that was taken could not be stored: the next one takes it again. */
  putBack(part: { readonly text: string; readonly reasoning: string }): void {
    this.storedText -= part.text.length
    this.storedReasoning -= part.reasoning.length
  }

  private on(event: RunEvent): Effect.Effect<void, StorageError> {
    switch (event._tag) {
      case "TextDelta":
        return Effect.sync(() => this.sink.text(event.text))
      case "ReasoningDelta":
        return Effect.sync(() => this.sink.reasoning(event.text))
      case "Step":
        return Effect.sync(() => {
          this.steps += this.steps === "" ? event.text : `\n${event.text}`
          this.log.append(this.frames.step(event.text))
        })
      case "ToolStarted":
        return Effect.sync(() => {
          this.openTools.set(event.id, event)
          this.log.append(this.frames.toolStarted(event))
        })
      case "ToolEnded":
        return this.toolEnded(event)
      case "Answered":
        return Effect.sync(() => {
          this.answer = event
        })
    }
  }

  /** Row and frame belong together: a stop waits for both. */
  private toolEnded(event: ToolEnded): Effect.Effect<void, StorageError> {
    return Effect.uninterruptible(
      Effect.suspend(() => {
        const started = this.openTools.get(event.id)
        if (started === undefined) return Effect.dieMessage(`tool ${event.id} ended before it started`)
        return Effect.map(this.journal.record(this.runId, [toolRow(started, event)]), (ids) => {
          this.openTools.delete(event.id)
          this.log.append(this.frames.toolEnded(started, event, ids[0] ?? null))
        })
      })
    )
  }

  /** Stores the run's end and emits its last frames. Never fails; to be run uninterruptibly, once. */
  finish(exit: Exit.Exit<void, RunFailed | StorageError>): Effect.Effect<void> {
    const settled = Effect.gen(this, function* () {
      const answer = this.answer
      // An answer that is complete stays complete, even if the stop came before it was stored.
      if (answer !== null && (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause))) {
        return yield* this.completed(answer)
      }
      if (Exit.isSuccess(exit)) {
        return yield* this.broke(
          "failed",
          new RunFailed({ reason: "the app gave no answer", kind: this.kind })
        )
      }
      if (Cause.isInterruptedOnly(exit.cause)) return yield* this.broke("stopped", null)
      return yield* this.broke("failed", yield* this.presentable(exit.cause))
    })
    return settled.pipe(
      Effect.catchAllCause((cause) =>
        Effect.map(this.presentable(cause), (error) => {
          this.log.append(this.frames.failed(tell(error)))
        })
      ),
      Effect.ensuring(Effect.sync(() => this.log.append(this.frames.closed())))
    )
  }

  private completed(answer: Answered): Effect.Effect<void, StorageError> {
    const reasoning = this.reasoning === "" ? [] : [this.bubble("reasoning_answer", this.reasoning, "")]
    const row: NewMessage = {
      ...this.bubble("answer", answer.text, ""),
      source: answer.source,
      intermediate_steps: this.steps,
      passages: answer.passages.map((passage) => ({
        text: passage.text,
        file_id: passage.fileId,
        file_name: passage.fileName,
        page: passage.page,
        score: passage.score
      }))
    }
    return Effect.map(this.end("done", "", [...reasoning, row]), (ids) => {
      this.log.append(this.frames.processingEnded(this.steps))
      const streamed = this.text !== ""
      for (const frame of this.frames.answer(answer, streamed, ids.at(-1) ?? null)) this.log.append(frame)
    })
  }

  /** Stopped or failed: what was streamed is kept as a broken answer, what is open is closed. */
  private broke(
    status: "stopped" | "failed",
    error: ProtocolError | null
  ): Effect.Effect<void, StorageError> {
    const output = status === "stopped" ? "Stopped" : "Failed"
    const tools = [...this.openTools.values()].map((started) => ({
      started,
      ended: { _tag: "ToolEnded" as const, id: started.id, output, failed: true }
    }))
    const parts = (
      [
        ["reasoning_answer", this.reasoning],
        ["answer", this.text]
      ] as const
    ).filter(([, text]) => text !== "")
    const rows = [
      ...tools.map(({ started, ended }) => toolRow(started, ended)),
      ...parts.map(([category, text]) => this.bubble(category, text, breakAnswer))
    ]
    const told = error === null ? null : tell(error)
    const reason = told === null ? "" : String(told.data["exception"] ?? told.status_message)
    return Effect.map(this.end(status, reason, rows), (ids) => {
      for (const [i, { started, ended }] of tools.entries()) {
        this.log.append(this.frames.toolEnded(started, ended, ids[i] ?? null))
      }
      for (const [i, [category, text]] of parts.entries()) {
        this.log.append(this.frames.broken(category, text, ids[tools.length + i] ?? null))
      }
      this.log.append(told === null ? this.frames.stopped() : this.frames.failed(told))
    })
  }

  private bubble(category: "answer" | "reasoning_answer", message: string, remark: string): NewMessage {
    return { is_bot: true, type: "end", category, message, remark }
  }

  private end(status: Ending["status"], error: string, messages: ReadonlyArray<NewMessage>) {
    const usage = this.answer?.usage ?? noUsage
    return this.journal
      .finish(this.runId, {
        status,
        error,
        messages,
        promptTokens: usage.promptTokens,
        completionTokens: usage.completionTokens
      })
      .pipe(Effect.retry(finishRetries))
  }

  /** What the client is told of a failure; what it is not told goes to the log. */
  private presentable(cause: Cause.Cause<RunFailed | StorageError>): Effect.Effect<RunFailed | Defect> {
    const failure = Option.orElse(
      Option.filter(Cause.failureOption(cause), (error) => error instanceof RunFailed),
      () => Option.filter(Cause.dieOption(cause), (error) => error instanceof RunFailed)
    )
    if (Option.isSome(failure) && failure.value instanceof RunFailed) return Effect.succeed(failure.value)
    return loggedDefect(`run ${this.runId}`, cause)
  }
}

/** Logs the cause under a fresh id; the client gets the id alone. */
export const loggedDefect = (where: string, cause: Cause.Cause<unknown>): Effect.Effect<Defect> =>
  Effect.gen(function* () {
    const errorId = crypto.randomUUID().replaceAll("-", "")
    yield* Effect.logError(`${where}: error ${errorId}`, cause)
    return new Defect({ errorId })
  })

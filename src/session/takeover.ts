/**
 * Brings a run to its end that its node cannot end any more: what it had streamed is kept as a broken answer,
 * and everybody who waits for it is told. To be done by the holder of the session's lease.
 *
 * A node may die between any two steps. So the database says what became of the run, and the log what of it
 * was told; the rest is told now.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { App } from "../app/App.ts"
import type { AppError } from "../protocol/errors.ts"
import type { Journal, KnownRun } from "../run/Journal.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SessionOptions } from "./makeSession.ts"
import { findParked } from "./parked.ts"
import type { Runner } from "./Runner.ts"
import { decodePayload, echoOf } from "./turn.ts"

const isWhole = Schema.is(
  Schema.parseJson(
    Schema.Struct({
      type: Schema.Literal("end", "end_cover", "over"),
      category: Schema.Literal("answer", "reasoning_answer", "question"),
      message_id: Schema.Number
    })
  )
)

/** Frames that say whole, and stored, what was streamed before them. */
const settles = (json: string): boolean => isWhole(json)

const patiently = Schedule.union(Schedule.exponential("100 millis"), Schedule.spaced("2 seconds"))

export const endLost = (options: {
  readonly session: SessionOptions
  readonly journal: Journal
  readonly runner: Runner
  readonly openApp: Effect.Effect<App, AppError | StorageError>
  /** The run that has not ended in the database; null where only the log says that one is in progress. */
  readonly runId: string | null
}): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { session, journal, runner, openApp } = options
    const { log } = session
    const { status, runId: toldRun } = log.standing
    const inLog = status === "idle" ? null : toldRun
    const app = Either.getOrElse(yield* Effect.either(openApp), () => null)

    const end = (run: KnownRun) =>
      Effect.gen(function* () {
        const isTold = run.runId === toldRun
        const recorder = runner.recorderFor({
          runId: run.runId,
          userId: run.userId,
          kind: app?.kind ?? "assistant"
        })
        if (run.status === "running") {
          if (!isTold) {
            log.beginRun(run.runId, session.self)
            recorder.begin(echoOf(run, decodePayload(run.payload).text))
          }
          yield* recorder.endLost(longer(isTold ? log.unsettled(settles) : null, run.partial))
          log.endRun()
          return
        }
        if (run.runId !== inLog) return
        if (run.status === "waiting_input" && status === "waiting") return
        if (run.status === "waiting_input" && app !== null) {
          const parked = yield* findParked(app, journal, session.actions)
          for (const prompt of parked?.prompts ?? []) recorder.repeat(prompt)
          log.parkRun(run.runId)
          return
        }
        yield* recorder.tellEnd(run, longer(log.unsettled(settles), nothing))
        log.endRun()
      })

    for (const id of new Set([inLog, options.runId])) {
      if (id === null) continue
      const run = yield* journal.get(id)
      if (Option.isSome(run)) yield* end(run.value)
      // Removed with its chat, perhaps: nobody has to wait for it.
      else if (id === inLog) log.endRun()
    }
  }).pipe(Effect.retry(patiently), Effect.orDie)

interface Texts {
  readonly text: string
  readonly reasoning: string
}

const nothing: Texts = { text: "", reasoning: "" }

/** The log has what was streamed to the last frame, the database up to its last checkpoint. */
const longer = (
  streamed: { readonly content: string; readonly reasoning_content: string } | null,
  stored: Texts
): Texts => {
  const seen = { text: streamed?.content ?? "", reasoning: streamed?.reasoning_content ?? "" }
  const size = ({ text, reasoning }: Texts) => text.length + reasoning.length
  return size(seen) >= size(stored) ? seen : stored
}

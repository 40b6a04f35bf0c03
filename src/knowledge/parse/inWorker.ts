/**
 * Parses a file in a thread of its own, so that a file made to take for ever, or to eat all memory, costs its
 * thread and not the server: the thread ends with its time, with its memory, and when nobody waits any more.
 */
import * as Effect from "effect/Effect"
import { startThread } from "../thread.ts"
import { damaged, type Parsed, type ParseJob, Unreadable } from "./Parsed.ts"
import type { ParseOutcome } from "./worker.ts"

/** Of JavaScript's own memory, in MiB; the archives' limit bounds what lies beside it. */
const memory = { maxOldGenerationSizeMb: 768, maxYoungGenerationSizeMb: 64 }

export const inWorker = (job: ParseJob): Effect.Effect<Parsed, Unreadable> =>
  Effect.async((resume) => {
    const worker = startThread("knowledge/parse/worker", { workerData: job, resourceLimits: memory })
    let answered = false
    const answer = (outcome: Effect.Effect<Parsed, Unreadable>): void => {
      if (answered) return
      answered = true
      resume(outcome)
      void worker.terminate()
    }
    worker.once("message", (outcome: ParseOutcome) => {
      switch (outcome._tag) {
        case "Parsed":
          return answer(Effect.succeed(outcome.parsed))
        case "Unreadable":
          return answer(Effect.fail(new Unreadable(outcome.reason)))
        case "Failed":
          return answer(
            Effect.logWarning("a file cannot be parsed").pipe(
              Effect.annotateLogs({ path: job.path, cause: outcome.message }),
              Effect.zipRight(Effect.fail(new Unreadable(damaged)))
            )
          )
      }
    })
    worker.once("error", (error) =>
      answer(
        Effect.logWarning("the thread that parses a file broke").pipe(
          Effect.annotateLogs({ path: job.path, cause: error.message }),
          Effect.zipRight(Effect.fail(new Unreadable("is too complex to read. Split it into smaller files.")))
        )
      )
    )
    worker.once("exit", () => answer(Effect.fail(new Unreadable(damaged))))
    return Effect.promise(() => worker.terminate())
  })

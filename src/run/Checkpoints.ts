/**
 * Stores what running answers have streamed so far, so that a killed server loses at most the last second.
 * One fiber and one transaction for all runs of the node, not a timer a run.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Runs } from "../storage/Runs.ts"
import type { Part } from "./drafts.ts"
import type { Recorder } from "./Recorder.ts"

/** Half of the second that a crash may cost; the other half is for the database. */
const period = "500 millis"

export class Checkpoints extends Context.Tag("colloquy/Checkpoints")<
  Checkpoints,
  {
    /** From here on the run's partial answer is stored as it grows, until the recorder leaves. */
    readonly watch: (recorder: Recorder) => void
    readonly leave: (recorder: Recorder) => void
  }
>() {
  static readonly Live = Layer.scoped(
    Checkpoints,
    Effect.gen(function* () {
      const runs = yield* Runs
      const watched = new Set<Recorder>()
      const store = Effect.suspend(() => {
        const parts = new Map<Recorder, Part>()
        const done = Deferred.unsafeMake<void>(FiberId.none)
        const stored = Deferred.await(done)
        for (const recorder of watched) {
          const part = recorder.drafts.take(stored)
          if (part !== null) parts.set(recorder, part)
        }
        if (parts.size === 0) return Effect.void
        const checkpoints = [...parts].map(([{ runId }, part]) => ({ runId, ...part }))
        return Effect.onExit(runs.checkpoint(checkpoints), (exit) => {
          for (const [recorder, part] of parts) recorder.drafts.stored(Exit.isSuccess(exit) ? part : null)
          return Deferred.succeed(done, undefined)
        })
      })
      yield* store.pipe(
        Effect.catchAll((error) => Effect.logWarning("partial answers could not be stored", error.cause)),
        Effect.repeat(Schedule.spaced(period)),
        Effect.forkScoped
      )
      return {
        watch: (recorder) => {
          watched.add(recorder)
        },
        leave: (recorder) => {
          watched.delete(recorder)
        }
      }
    })
  )
}

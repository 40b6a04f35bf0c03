/** The end of a run in the database, where it may have ended otherwise before. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { Ending } from "../storage/Runs.ts"
import { retried } from "../storage/retried.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Journal, KnownRun } from "./Journal.ts"

/** What is stored of the run is another end than the one that was to be stored. */
export class EndedOtherwise extends Data.TaggedError("EndedOtherwise")<{ readonly run: KnownRun }> {}

/** What the database refuses at the end of a run is tried again for this long before the client is told. */
export const finishRetries = Schedule.union(
  Schedule.exponential("100 millis"),
  Schedule.spaced("2 seconds")
).pipe(Schedule.upTo("2 minutes"))

/** A message's id each, or null where it is not kept. */
type Ids = ReadonlyArray<number | null>

/** Stores it; fails where another one is stored: by another node, or by a try whose answer was lost. */
export const storeEnd = (
  journal: Journal,
  runId: string,
  ending: Ending
): Effect.Effect<Ids, StorageError | EndedOtherwise> => {
  const { status, messages } = ending
  let isFirst = status !== "lost"
  const finished = Effect.tapError(journal.finish(runId, ending), () =>
    Effect.sync(() => {
      isFirst = false
    })
  )
  const checked = (ids: Ids): Effect.Effect<Ids, StorageError | EndedOtherwise> =>
    Effect.flatMap(journal.get(runId), (found) => {
      const run = Option.getOrNull(found)
      if (run === null) return Effect.succeed(messages.map(() => null))
      const isTheSame = run.status === status && ids.length === messages.length
      return isTheSame ? Effect.succeed(ids) : new EndedOtherwise({ run })
    })
  const stored = Effect.flatMap(finished, (ids) =>
    isFirst && ids.length === messages.length ? Effect.succeed(ids) : checked(ids)
  )
  return retried(stored, finishRetries, ({ _tag }) => _tag === "StorageError")
}

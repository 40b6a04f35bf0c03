/** What a lease that several nodes share asks of the session that it is for. */
import type * as Effect from "effect/Effect"
import type { RunStatus } from "../../storage/rows.ts"
import type { StorageError } from "../../storage/StorageError.ts"

export interface LeaseUser {
  /** Another node has taken the session: what runs here must end without a word. */
  readonly onDeposed: Effect.Effect<void>
  /** The epoch that the session would begin with at this moment, had nobody told anything of it. */
  readonly epochNow: Effect.Effect<string, StorageError>
  /** What became of a run of this node's, as the database says; null: it is another node's, or gone. */
  readonly statusHere: (runId: string) => Effect.Effect<RunStatus | null, StorageError>
  /** Whether other nodes may have told something since, as the database says; after this run, where there is one. */
  readonly spokenSince: (since: Date, runId: string | null) => Effect.Effect<boolean, StorageError>
  /** Another node has wanted the lease while it was this one's: it may have left a question behind. */
  readonly onWanted: Effect.Effect<void>
  /** What was told is in the store no more, and nobody writes: somebody has to look after the session. */
  readonly onForgotten: Effect.Effect<void>
}

/**
 * Whether other nodes may have told something in a chat while this one was to have it alone, as the database has it. To
 * be asked where the store that would say so has been emptied.
 */
import * as Effect from "effect/Effect"
import type { Runs } from "../storage/Runs.ts"
import type { Run } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"

/** A run that is not among so many latest ones of its chat is taken for one of long ago. */
const latest = 20

export interface Since {
  readonly chatId: string
  readonly self: string
  /** When this node was given the chat. */
  readonly since: Date
  /** What it has run last; null: nothing. */
  readonly runId: string | null
}

export const spokenSince = (
  runs: typeof Runs.Service,
  { chatId, self, since, runId }: Since
): Effect.Effect<boolean, StorageError> =>
  Effect.map(runs.ofChat(chatId, latest), (all) => {
    const own = all.find(({ id }) => id === runId)
    if (own === undefined && runId !== null) return true
    const isLater = (time: Date | null) => time !== null && time >= since
    // A question that still waits was told by nobody. What was asked later is known without trust in clocks.
    const mayBeTold = ({ owner, status, question_id, start_time, end_time }: Run) =>
      owner !== self &&
      status !== "queued" &&
      (isLater(start_time) || isLater(end_time) || (own !== undefined && question_id > own.question_id))
    return all.some(mayBeTold)
  })

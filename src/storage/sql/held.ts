/** A run that has not ended, kept by a transaction from everybody else. */

import type { Run } from "../rows.ts"
import { RunRow } from "./columns.ts"
import { type Database, decodeFirst } from "./Database.ts"
import type { Author } from "./insertMessage.ts"

export const unendedStates = "status IN ('queued', 'running', 'waiting_input')"

const run = decodeFirst(RunRow)

/** The run if it has not ended, kept with its chat for this transaction. */
export const hold = ({ sql, forUpdate }: Database, runId: string) =>
  run(
    sql`SELECT r.* FROM run r JOIN message_session s ON s.chat_id = r.chat_id WHERE r.id = ${runId} AND r.${sql.literal(unendedStates)} ${forUpdate}`
  )

/** It does not wait for a person any more. */
export const unwait = ({ sql }: Database, runId: string) => sql`DELETE FROM run_wait WHERE run_id = ${runId}`

export const authorOf = (run: Pick<Run, "id" | "flow_id" | "chat_id" | "user_id">): Author => ({
  flowId: run.flow_id,
  chatId: run.chat_id,
  userId: run.user_id,
  runId: run.id
})

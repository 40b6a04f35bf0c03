/** One message with its passages, inside the caller's transaction; answers its id. */
import * as Effect from "effect/Effect"
import type { NewMessage } from "../rows.ts"
import type { Database } from "./Database.ts"

export interface Author {
  readonly flowId: string
  readonly chatId: string
  readonly userId: number
  readonly runId: string
}

/** Passages go in by groups: few round trips, and no statement with more parameters than a server takes. */
const passagesAtOnce = 50

export const insertMessage = Effect.fnUntraced(function* (
  { sql, write }: Database,
  author: Author,
  message: NewMessage,
  time: string
) {
  const { id } = yield* write(
    sql`INSERT INTO chat_message ${sql.insert({
      is_bot: message.is_bot ? 1 : 0,
      source: message.source ?? 0,
      type: message.type,
      category: message.category,
      flow_id: author.flowId,
      chat_id: author.chatId,
      user_id: author.userId,
      run_id: author.runId,
      liked: 0,
      solved: 0,
      copied: 0,
      sensitive_status: 0,
      message: message.message,
      intermediate_steps: message.intermediate_steps ?? "",
      files: message.files ?? "",
      extra: message.extra ?? "",
      remark: message.remark ?? "",
      sender: message.sender ?? "",
      receiver: message.receiver ?? "",
      create_time: time,
      update_time: time
    })}`
  )
  const passages = (message.passages ?? []).map((passage) => ({
    message_id: id,
    chunk: passage.text,
    file_id: passage.file_id,
    file_name: passage.file_name,
    page: passage.page,
    score: passage.score,
    boxes: passage.boxes ?? null,
    url: passage.url ?? null,
    create_time: time
  }))
  for (let from = 0; from < passages.length; from += passagesAtOnce) {
    yield* sql`INSERT INTO recall_chunk ${sql.insert(passages.slice(from, from + passagesAtOnce))}`
  }
  return id
})

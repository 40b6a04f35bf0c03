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

const columns = [
  "is_bot",
  "source",
  "type",
  "category",
  "run_id",
  "liked",
  "solved",
  "copied",
  "sensitive_status",
  "message",
  "intermediate_steps",
  "files",
  "extra",
  "remark",
  "sender",
  "receiver",
  "create_time",
  "update_time"
]
const authorColumns = ["flow_id", "chat_id", "user_id"]

const insertInto = (authorValues: ReadonlyArray<string>): string =>
  `INSERT INTO chat_message (${[...columns, ...authorColumns].join(", ")}) VALUES (${[...columns.map(() => "?"), ...authorValues].join(", ")})`

// Made once: to compile them anew for each message took as long as to read the database's answer.
const byAuthor = insertInto(["?", "?", "?"])
/** For a run that is in the database, and that nobody has read. */
const byRun = insertInto(authorColumns.map((column) => `(SELECT ${column} FROM run WHERE id = ?)`))

/** Passages go in by groups: few round trips, and no statement with more parameters than a server takes. */
const passagesAtOnce = 50

export const insertMessage = Effect.fnUntraced(function* (
  { sql, write }: Database,
  author: Author | { readonly runId: string },
  message: NewMessage,
  time: string
) {
  const { runId } = author
  const values = [
    message.is_bot ? 1 : 0,
    message.source ?? 0,
    message.type,
    message.category,
    runId,
    0,
    0,
    0,
    0,
    message.message,
    message.intermediate_steps ?? "",
    message.files ?? "",
    message.extra ?? "",
    message.remark ?? "",
    message.sender ?? "",
    message.receiver ?? "",
    time,
    time
  ]
  const { id } = yield* write(
    "chatId" in author
      ? sql.unsafe(byAuthor, [...values, author.flowId, author.chatId, author.userId])
      : sql.unsafe(byRun, [...values, runId, runId, runId])
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

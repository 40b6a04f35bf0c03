/** Messages with their passages, inside the caller's transaction; answer their ids. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { NewMessage } from "../rows.ts"
import { type Database, decodeAll } from "./Database.ts"
import { inSizes, rowsOf, sizes } from "./statement.ts"

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
] as const
const authorColumns = ["flow_id", "chat_id", "user_id"] as const

const insertInto = (authorValues: ReadonlyArray<string>, rows = 1): string => {
  const places = `(${[...columns.map(() => "?"), ...authorValues].join(", ")})`
  return `INSERT INTO chat_message (${[...columns, ...authorColumns].join(", ")}) VALUES ${Array(rows).fill(places).join(", ")}`
}

// Made once: to compile them anew for each message took as long as to read the database's answer.
const byAuthor = insertInto(["?", "?", "?"])
/** For a run that is in the database, and that nobody has read. */
const byRun = insertInto(authorColumns.map((column) => `(SELECT ${column} FROM run WHERE id = ?)`))
/** Several at once. */
const together = new Map(sizes.map((rows) => [rows, insertInto(["?", "?", "?"], rows)]))

/** Passages go in by groups: few round trips, and no statement with more parameters than a server takes. */
const passagesAtOnce = 50

const valuesOf = (runId: string, message: NewMessage, time: string) => [
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

const signed = ({ flowId, chatId, userId, runId }: Author, message: NewMessage, time: string) => [
  ...valuesOf(runId, message, time),
  flowId,
  chatId,
  userId
]

export const insertMessage = Effect.fnUntraced(function* (
  database: Database,
  author: Author | { readonly runId: string },
  message: NewMessage,
  time: string
) {
  const { sql, write } = database
  const { runId } = author
  const { id } = yield* write(
    "chatId" in author
      ? sql.unsafe(byAuthor, signed(author, message, time))
      : sql.unsafe(byRun, [...valuesOf(runId, message, time), runId, runId, runId])
  )
  yield* insertPassages(database, message, id, time)
  return id
})

export const insertMessages = (
  database: Database,
  author: Author | { readonly runId: string },
  messages: ReadonlyArray<NewMessage>,
  time: string
) => Effect.forEach(messages, (message) => insertMessage(database, author, message, time))

const insertPassages = ({ sql }: Database, { passages = [] }: NewMessage, id: number, time: string) => {
  if (passages.length === 0) return Effect.void
  const rows = passages.map((passage) => ({
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
  return Effect.forEach(
    Chunk.chunksOf(Chunk.unsafeFromArray(rows), passagesAtOnce),
    (some) => sql`INSERT INTO recall_chunk ${sql.insert([...some])}`,
    { discard: true }
  )
}

/** A run's message, among those of other runs. */
export interface Letter {
  readonly author: Author
  readonly message: NewMessage
}

const idOf = decodeAll(Schema.Struct({ id: Schema.Number, run_id: Schema.String }))

/** Messages of several runs with few statements. Their ids are read back: one statement's need not follow each other. */
export const insertTogether = Effect.fnUntraced(function* (
  database: Database,
  letters: ReadonlyArray<Letter>,
  time: string
) {
  const { sql } = database
  const [first, ...others] = letters
  if (first === undefined) return []
  if (others.length === 0) return [yield* insertMessage(database, first.author, first.message, time)]
  for (const some of inSizes(letters)) {
    const values = some.flatMap(({ author, message }) => signed(author, message, time))
    yield* rowsOf(sql.unsafe(together.get(some.length) ?? insertInto(["?", "?", "?"], some.length), values))
  }
  const runIds = [...new Set(letters.map(({ author }) => author.runId))]
  const stored = yield* idOf(
    sql`SELECT id, run_id FROM chat_message WHERE ${sql.in("run_id", runIds)} ORDER BY id`
  )
  const idsOf = new Map<string, Array<number>>(runIds.map((runId) => [runId, []]))
  for (const { id, run_id } of stored) idsOf.get(run_id)?.push(id)
  // A run may have had messages before: these are its last.
  const ids = letters.toReversed().flatMap(({ author }) => idsOf.get(author.runId)?.pop() ?? [])
  if (ids.length !== letters.length) return yield* Effect.dieMessage("messages were not stored")
  ids.reverse()
  for (const [i, { message }] of letters.entries()) {
    yield* insertPassages(database, message, ids[i] ?? 0, time)
  }
  return ids
})

import { join } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { Messages } from "../Messages.ts"
import { breakAnswer, unseen } from "../rows.ts"
import { batchedReads } from "./Batcher.ts"
import { MessageRow, Whole } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during } from "./Database.ts"

const message = decodeFirst(MessageRow)
const messages = decodeAll(MessageRow)

/** What a model is reminded of, and where it belongs. */
const Placed = Schema.Struct({
  ...MessageRow.pick("category", "message", "extra", "remark").fields,
  /** Which of the chats that were asked for. */
  chat: Whole,
  question_id: Whole,
  id: Whole
})
type Placed = typeof Placed.Type

const decodePlaced = Schema.decodeUnknown(Schema.Array(Placed))

const texts = ["category", "message", "extra", "remark"]
const numbers = ["chat", "question_id", "id"]

const isPlaced = (row: unknown): row is Placed =>
  Predicate.isRecord(row) &&
  texts.every((column) => typeof row[column] === "string") &&
  numbers.every((column) => Number.isSafeInteger(row[column]))

/** By plain code: a schema took 17,000 of a question's 49,000 calls, for the last ten rounds. */
const placed = (rows: ReadonlyArray<unknown>) =>
  rows.every(isPlaced) ? Effect.succeed(rows) : decodePlaced(rows)

/** Round by round: a question that waited in the queue was stored before the answer it waited for. */
const inOrder = (a: Placed, b: Placed): number => a.question_id - b.question_id || a.id - b.id

interface Remembering {
  readonly chatId: string
  readonly rounds: number
}

export const makeMessages = (database: Database) => {
  const { sql, ask, byChat, byRun, whole } = database

  const latest = ({ chatId, rounds }: Remembering, chat: number) =>
    sql`SELECT ${whole(chat)} AS chat, r.question_id, m.id, m.category, m.message, m.extra, m.remark FROM (SELECT id, question_id FROM run ${byRun} WHERE chat_id = ${chatId} AND status = 'done' AND question_id > (SELECT memory_floor FROM message_session WHERE chat_id = ${chatId}) ORDER BY question_id DESC LIMIT ${whole(rounds)}) r JOIN chat_message m ON m.run_id = r.id WHERE m.remark <> ${breakAnswer}`

  const memory = batchedReads(
    database,
    ({ chatId }: Remembering) => chatId,
    (chats) =>
      Effect.map(
        // Put in order here: there it would be a table on disk, for the texts in it.
        Effect.flatMap(ask(sql`${join(" UNION ALL ", false)(chats.map(latest))}`), placed),
        (rows) => chats.map((_, chat) => rows.filter((row) => row.chat === chat).toSorted(inOrder))
      )
  )

  return Messages.of({
    get: (id) => message(sql`SELECT * FROM chat_message WHERE id = ${id}`).pipe(during("messages.get")),

    page: ({ chatId, before, limit }) => {
      const older = before === null ? sql.literal("") : sql`AND id < ${before}`
      return messages(
        sql`SELECT * FROM chat_message ${byChat} WHERE chat_id = ${chatId} AND category <> ${unseen} ${older} ORDER BY id DESC LIMIT ${whole(limit)}`
      ).pipe(during("messages.page"))
    },

    latestFilling: (chatId, actions) =>
      message(
        sql`SELECT m.* FROM run r ${byRun} JOIN chat_message m ON m.id = r.question_id WHERE r.chat_id = ${chatId} AND ${sql.in("r.action", actions)} ORDER BY r.question_id DESC LIMIT 1`
      ).pipe(Effect.map(Option.map(({ extra }) => extra)), during("messages.latestFilling")),

    ofRun: (runId) =>
      messages(sql`SELECT * FROM chat_message WHERE run_id = ${runId} ORDER BY id`).pipe(
        during("messages.ofRun")
      ),

    memory: (chatId, rounds) => memory({ chatId, rounds }).pipe(during("messages.memory"))
  })
}

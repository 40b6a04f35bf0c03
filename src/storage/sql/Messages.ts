import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Messages, type Reminder } from "../Messages.ts"
import { breakAnswer, unseen } from "../rows.ts"
import { MessageRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during } from "./Database.ts"

const message = decodeFirst(MessageRow)
const messages = decodeAll(MessageRow)

const decodeReminders = Schema.decodeUnknown(
  Schema.Array(MessageRow.pick("category", "message", "extra", "remark"))
)

const isReminder = (row: unknown): row is Reminder =>
  typeof row === "object" &&
  row !== null &&
  "category" in row &&
  typeof row.category === "string" &&
  "message" in row &&
  typeof row.message === "string" &&
  "extra" in row &&
  typeof row.extra === "string" &&
  "remark" in row &&
  typeof row.remark === "string"

/** By plain code: a schema took 17,000 of a question's 49,000 calls, for the last ten rounds. */
const reminders = (rows: ReadonlyArray<unknown>) =>
  rows.every(isReminder) ? Effect.succeed(rows) : decodeReminders(rows)

export const makeMessages = ({ sql, ask, byChat, byRun, whole }: Database) =>
  Messages.of({
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

    // Round by round: a question that waited in the queue was stored before the answer it waited for.
    memory: (chatId, rounds) =>
      ask(
        sql`SELECT m.category, m.message, m.extra, m.remark FROM (SELECT id, question_id FROM run ${byRun} WHERE chat_id = ${chatId} AND status = 'done' AND question_id > (SELECT memory_floor FROM message_session WHERE chat_id = ${chatId}) ORDER BY question_id DESC LIMIT ${whole(rounds)}) r JOIN chat_message m ON m.run_id = r.id WHERE m.remark <> ${breakAnswer} ORDER BY r.question_id, m.id`
      ).pipe(Effect.flatMap(reminders), during("messages.memory"))
  })

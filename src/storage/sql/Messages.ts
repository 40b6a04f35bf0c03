import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../Messages.ts"
import { breakAnswer, unseen } from "../rows.ts"
import { MessageRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during } from "./Database.ts"

const message = decodeFirst(MessageRow)
const messages = decodeAll(MessageRow)

export const makeMessages = ({ sql, byChat, byRun, whole }: Database) =>
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
      messages(
        sql`SELECT m.* FROM (SELECT id, question_id FROM run ${byRun} WHERE chat_id = ${chatId} AND status = 'done' AND question_id > (SELECT memory_floor FROM message_session WHERE chat_id = ${chatId}) ORDER BY question_id DESC LIMIT ${whole(rounds)}) r JOIN chat_message m ON m.run_id = r.id WHERE m.remark <> ${breakAnswer} ORDER BY r.question_id, m.id`
      ).pipe(during("messages.memory"))
  })

import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Sessions } from "../Sessions.ts"
import { CountRow, MessageRow, SessionRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during } from "./Database.ts"

const session = decodeFirst(SessionRow)
const sessions = decodeAll(SessionRow)
const messages = decodeAll(MessageRow)
const count = decodeFirst(CountRow)

export const makeSessions = ({ sql, atomic, alone, write, byChat, forUpdate, whole, contains }: Database) =>
  Sessions.of({
    get: (chatId) =>
      session(sql`SELECT * FROM message_session WHERE chat_id = ${chatId} AND is_delete = 0`).pipe(
        during("sessions.get")
      ),

    list: ({ userId, flowType, flowId, keyword, page, limit }) => {
      const wanted = sql.and([
        sql`user_id = ${userId}`,
        sql`is_delete = 0`,
        ...(flowType === null ? [] : [sql`flow_type = ${flowType}`]),
        ...(flowId === null ? [] : [sql`flow_id = ${flowId}`]),
        ...(keyword === "" ? [] : [sql.or([contains("name", keyword), contains("flow_name", keyword)])])
      ])
      const skip = (Math.max(1, page) - 1) * limit
      return Effect.all({
        rows: sessions(
          sql`SELECT * FROM message_session WHERE ${wanted} ORDER BY update_time DESC, chat_id LIMIT ${whole(limit)} OFFSET ${whole(skip)}`
        ),
        total: Effect.map(
          count(sql`SELECT COUNT(*) AS n FROM message_session WHERE ${wanted}`),
          Option.match({ onNone: () => 0, onSome: (row) => row.n })
        )
      }).pipe(during("sessions.list"))
    },

    latestMessages: (chatIds) =>
      chatIds.length === 0
        ? Effect.succeed([])
        : messages(
            sql`SELECT m.* FROM message_session s JOIN chat_message m ON m.id = (SELECT l.id FROM chat_message l ${byChat} WHERE l.chat_id = s.chat_id AND l.category IN ('question', 'answer') ORDER BY l.id DESC LIMIT 1) WHERE s.is_delete = 0 AND ${sql.in("s.chat_id", chatIds)}`
          ).pipe(during("sessions.latestMessages")),

    remove: (chatId) =>
      write(sql`UPDATE message_session SET is_delete = 1 WHERE chat_id = ${chatId} AND is_delete = 0`).pipe(
        alone,
        Effect.map(({ changes }) => changes > 0),
        during("sessions.remove")
      ),

    forget: (chatId) =>
      Effect.gen(function* () {
        // Nobody writes messages to this chat until the floor is set.
        yield* sql`SELECT chat_id FROM message_session WHERE chat_id = ${chatId} ${forUpdate}`
        const newest = yield* count(
          sql`SELECT COALESCE(MAX(id), 0) AS n FROM chat_message WHERE chat_id = ${chatId}`
        )
        if (Option.isNone(newest)) return
        yield* sql`UPDATE message_session SET memory_floor = ${newest.value.n} WHERE chat_id = ${chatId} AND memory_floor < ${newest.value.n}`
      }).pipe(atomic, during("sessions.forget"))
  })

import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { MessageSession } from "../rows.ts"
import { type SessionQuery, Sessions } from "../Sessions.ts"
import { batchedReads } from "./Batcher.ts"
import { CountRow, MessageRow, SessionRow, sqlTime } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during } from "./Database.ts"

const sessions = decodeAll(SessionRow)
const messages = decodeAll(MessageRow)
const count = decodeFirst(CountRow)

/** The index that has exactly these sessions of a user, in the list's order. */
const indexFor = ({ flowId, flowType }: SessionQuery): string => {
  const narrowed = flowId !== null ? "flow_id_" : flowType !== null ? "flow_type_" : ""
  return `message_session_user_id_is_delete_${narrowed}update_time${narrowed === "" ? "" : "_chat_id"}`
}

/** An app is of one kind: all of its sessions are of the kind that was asked for, or none. */
const ofKind = ({ flowId, flowType }: SessionQuery, rows: ReadonlyArray<MessageSession>) =>
  flowId === null || flowType === null ? rows : rows.filter((row) => row.flow_type === flowType)

export const makeSessions = (database: Database) => {
  const { sql, atomic, alone, write, byChat, walking, forUpdate, whole, contains } = database
  const inOrder = sql.literal("ORDER BY update_time DESC, chat_id DESC")

  const listed = (query: SessionQuery) => {
    const { userId, flowType, flowId, keyword, from, limit } = query
    const after = "skip" in from ? null : from.after
    const time = after === null ? "" : sqlTime(after.updateTime)
    const wanted = sql.and([
      sql`user_id = ${userId}`,
      sql`is_delete = 0`,
      ...(flowType === null || flowId !== null ? [] : [sql`flow_type = ${flowType}`]),
      ...(flowId === null ? [] : [sql`flow_id = ${flowId}`]),
      ...(after === null
        ? []
        : [sql`update_time <= ${time}`, sql`(update_time < ${time} OR chat_id < ${after.chatId})`]),
      ...(keyword === "" ? [] : [sql.or([contains("name", keyword), contains("flow_name", keyword)])])
    ])
    const rows = sql`FROM message_session ${walking(indexFor(query))} WHERE ${wanted} ${inOrder} LIMIT ${whole(limit)}`
    if (!("skip" in from) || from.skip === 0) return sql`SELECT * ${rows}`
    // Counted off in the index: of what is skipped no row is read.
    return sql`SELECT s.* FROM (SELECT chat_id AS id ${rows} OFFSET ${whole(from.skip)}) AS p JOIN message_session s ON s.chat_id = p.id ${inOrder}`
  }

  const get = batchedReads(
    database,
    (chatId: string) => chatId,
    (chatIds) =>
      Effect.map(
        sessions(
          sql`SELECT * FROM message_session WHERE ${sql.in("chat_id", chatIds)} AND is_delete = 0`,
          database.ask
        ),
        (rows) => chatIds.map((chatId) => Option.fromNullable(rows.find((row) => row.chat_id === chatId)))
      )
  )

  return Sessions.of({
    get: (chatId) => get(chatId).pipe(during("sessions.get")),

    list: (query) =>
      sessions(listed(query)).pipe(
        Effect.map((rows) => ofKind(query, rows)),
        during("sessions.list")
      ),

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
}

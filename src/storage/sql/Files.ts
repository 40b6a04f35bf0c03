import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Files } from "../Files.ts"
import type { StoredFile } from "../rows.ts"
import { CountRow, FileRow, UsageRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, now } from "./Database.ts"

const file = decodeFirst(FileRow)
const files = decodeAll(FileRow)
const count = decodeFirst(CountRow)
const usage = decodeFirst(UsageRow)

export const makeFiles = ({ sql, alone, write, whole }: Database) =>
  Files.of({
    add: ({ id, flow_id, user_id, chat_id = "", purpose = "document", name, media_type, bytes }) =>
      Effect.gen(function* () {
        const { date, text: time } = yield* now
        const row = { id, flow_id, user_id, chat_id, purpose, name, media_type, bytes }
        yield* alone(sql`INSERT INTO file ${sql.insert({ ...row, create_time: time })}`)
        return { ...row, create_time: date } satisfies StoredFile
      }).pipe(during("files.add")),

    get: (id) => file(sql`SELECT * FROM file WHERE id = ${id}`).pipe(during("files.get")),

    getAll: (ids) =>
      ids.length === 0
        ? Effect.succeed([])
        : files(sql`SELECT * FROM file WHERE ${sql.in("id", ids)}`).pipe(during("files.getAll")),

    ofFlow: (flowId, userIds, chatId = "") =>
      userIds.length === 0
        ? Effect.succeed([])
        : files(
            sql`SELECT * FROM file WHERE flow_id = ${flowId} AND ${sql.in("user_id", userIds)} AND purpose = 'document' AND ${sql.in("chat_id", [...new Set(["", chatId])])} ORDER BY create_time, id`
          ).pipe(during("files.ofFlow")),

    list: ({ userId, flowId, chatId, page, limit }) => {
      const wanted = sql.and([
        sql`user_id = ${userId}`,
        sql`purpose <> 'template'`,
        ...(flowId === "" ? [] : [sql`flow_id = ${flowId}`]),
        ...(chatId === "" ? [] : [sql`chat_id = ${chatId}`])
      ])
      const skip = (Math.max(1, page) - 1) * limit
      return Effect.all({
        rows: files(
          sql`SELECT * FROM file WHERE ${wanted} ORDER BY create_time DESC, id LIMIT ${whole(limit)} OFFSET ${whole(skip)}`
        ),
        total: Effect.map(
          count(sql`SELECT COUNT(*) AS n FROM file WHERE ${wanted}`),
          Option.match({ onNone: () => 0, onSome: (row) => row.n })
        )
      }).pipe(during("files.list"))
    },

    usage: (userId) =>
      usage(sql`SELECT COUNT(*) AS files, SUM(bytes) AS bytes FROM file WHERE user_id = ${userId}`).pipe(
        Effect.map(
          Option.match({
            onNone: () => ({ files: 0, bytes: 0 }),
            onSome: (row) => ({ files: row.files, bytes: row.bytes ?? 0 })
          })
        ),
        during("files.usage")
      ),

    ofChat: (chatId, userId) =>
      chatId === ""
        ? Effect.succeed([])
        : files(
            sql`SELECT * FROM file WHERE chat_id = ${chatId} AND user_id = ${userId} ORDER BY create_time, id`
          ).pipe(during("files.ofChat")),

    remove: (id) =>
      write(sql`DELETE FROM file WHERE id = ${id}`).pipe(
        alone,
        Effect.map(({ changes }) => changes > 0),
        during("files.remove")
      )
  })

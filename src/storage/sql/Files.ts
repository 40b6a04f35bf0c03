import * as Effect from "effect/Effect"
import { Files } from "../Files.ts"
import { FileRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, now } from "./Database.ts"

const file = decodeFirst(FileRow)
const files = decodeAll(FileRow)

export const makeFiles = ({ sql, alone, write }: Database) =>
  Files.of({
    add: (file) =>
      Effect.gen(function* () {
        const { date, text: time } = yield* now
        yield* alone(
          sql`INSERT INTO file ${sql.insert({
            id: file.id,
            flow_id: file.flow_id,
            user_id: file.user_id,
            name: file.name,
            media_type: file.media_type,
            bytes: file.bytes,
            create_time: time
          })}`
        )
        return { ...file, create_time: date }
      }).pipe(during("files.add")),

    get: (id) => file(sql`SELECT * FROM file WHERE id = ${id}`).pipe(during("files.get")),

    ofFlow: (flowId, userIds) =>
      userIds.length === 0
        ? Effect.succeed([])
        : files(
            sql`SELECT * FROM file WHERE flow_id = ${flowId} AND ${sql.in("user_id", userIds)} ORDER BY create_time, id`
          ).pipe(during("files.ofFlow")),

    remove: (id) =>
      write(sql`DELETE FROM file WHERE id = ${id}`).pipe(
        alone,
        Effect.map(({ changes }) => changes > 0),
        during("files.remove")
      )
  })

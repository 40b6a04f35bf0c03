import { maxRecalls, Recalls } from "../Recalls.ts"
import { RecallRow } from "./columns.ts"
import { type Database, decodeAll, during } from "./Database.ts"

const recalls = decodeAll(RecallRow)

export const makeRecalls = ({ sql, whole }: Database) =>
  Recalls.of({
    ofMessage: (messageId) =>
      recalls(
        sql`SELECT id, message_id, chunk, file_id, file_name, page, score, boxes, url FROM recall_chunk WHERE message_id = ${messageId} ORDER BY id LIMIT ${whole(maxRecalls)}`
      ).pipe(during("recalls.ofMessage"))
  })

import * as Effect from "effect/Effect"
import { Audit } from "../Audit.ts"
import { AuditRow } from "./columns.ts"
import { type Database, decodeAll, during, now } from "./Database.ts"

const entries = decodeAll(AuditRow)

export const makeAudit = ({ sql, alone, whole }: Database) =>
  Audit.of({
    add: (entry) =>
      Effect.flatMap(
        now,
        ({ text: time }) =>
          sql`INSERT INTO audit_log ${sql.insert({
            user_id: entry.userId,
            action: entry.action,
            object_id: entry.objectId,
            ip: entry.ip,
            create_time: time
          })}`
      ).pipe(alone, Effect.asVoid, during("audit.add")),

    list: ({ objectId, limit }) => {
      const wanted = objectId === null ? sql.literal("") : sql`WHERE object_id = ${objectId}`
      return entries(sql`SELECT * FROM audit_log ${wanted} ORDER BY id DESC LIMIT ${whole(limit)}`).pipe(
        Effect.map((rows) =>
          rows.map((row) => ({
            id: row.id,
            userId: row.user_id,
            action: row.action,
            objectId: row.object_id,
            ip: row.ip,
            create_time: row.create_time
          }))
        ),
        during("audit.list")
      )
    }
  })

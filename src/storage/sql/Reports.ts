import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { Reports } from "../Reports.ts"
import type { ReportTemplate } from "../rows.ts"
import { ReportTemplateRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, isDuplicate, now } from "./Database.ts"

const template = decodeFirst(ReportTemplateRow)
const templates = decodeAll(ReportTemplateRow)

/** Whoever finds the number taken looks again; of those who add at once, somebody wins every round. */
const tries = Schedule.intersect(Schedule.jittered(Schedule.spaced("2 millis")), Schedule.recurs(32))

export const makeReports = ({ sql, atomic, alone, write }: Database) => {
  const newest = (flowId: string) =>
    template(sql`SELECT * FROM report_template WHERE flow_id = ${flowId} ORDER BY version DESC LIMIT 1`)

  return Reports.of({
    latest: (flowId) => newest(flowId).pipe(during("reports.latest")),

    add: ({ flow_id, file_id, file_name, user_id }) =>
      Effect.gen(function* () {
        const { date, text: time } = yield* now
        const before = yield* newest(flow_id)
        const version = Option.match(before, { onNone: () => 1, onSome: (row) => row.version + 1 })
        const row = { flow_id, version, file_id, file_name, user_id }
        yield* alone(write(sql`INSERT INTO report_template ${sql.insert({ ...row, create_time: time })}`))
        return { ...row, create_time: date } satisfies ReportTemplate
      }).pipe(Effect.retry({ while: isDuplicate, schedule: tries }), during("reports.add")),

    remove: (flowId) =>
      Effect.gen(function* () {
        const rows = yield* templates(
          sql`SELECT * FROM report_template WHERE flow_id = ${flowId} ORDER BY version DESC`
        )
        const last = rows[0]
        // One that is added meanwhile has a higher number, and stays.
        if (last !== undefined) {
          yield* sql`DELETE FROM report_template WHERE flow_id = ${flowId} AND version <= ${last.version}`
        }
        return rows
      }).pipe(atomic, during("reports.remove"))
  })
}

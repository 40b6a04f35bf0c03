/** Runs that ended while they waited: somebody may not know yet. */
import * as Effect from "effect/Effect"
import type { RunStore } from "../Runs.ts"
import { RunRow } from "./columns.ts"
import { type Database, decodeAll, during } from "./Database.ts"

const runs = decodeAll(RunRow)

/** To be done in the transaction that ends the run. */
export const markUntold = ({ sql }: Database, runId: string) =>
  // It may have gone on after it was cancelled before.
  Effect.zipRight(
    sql`DELETE FROM run_untold WHERE run_id = ${runId}`,
    sql`INSERT INTO run_untold ${sql.insert({ run_id: runId })}`
  )

export const makeUntold = ({ sql, alone, whole }: Database): Pick<RunStore, "untold" | "told"> => ({
  untold: (limit) =>
    runs(
      sql`SELECT r.* FROM run_untold u JOIN run r ON r.id = u.run_id WHERE r.end_time IS NOT NULL ORDER BY r.end_time, r.question_id LIMIT ${whole(limit)}`
    ).pipe(during("runs.untold")),

  told: (runIds) =>
    runIds.length === 0
      ? Effect.void
      : Effect.asVoid(alone(sql`DELETE FROM run_untold WHERE ${sql.in("run_id", runIds)}`)).pipe(
          during("runs.told")
        )
})

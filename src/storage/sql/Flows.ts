import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Flows } from "../Flows.ts"
import type { Flow } from "../rows.ts"
import { batchedReads } from "./Batcher.ts"
import { CountRow, FlowHeadRow, FlowRow, sqlTime } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, now } from "./Database.ts"

const flow = decodeFirst(FlowRow)
const flows = decodeAll(FlowRow)
const heads = decodeAll(FlowHeadRow)
const count = decodeFirst(CountRow)

const json = (data: unknown): string => JSON.stringify(data ?? null)

export const makeFlows = (database: Database) => {
  const { sql, ask, atomic, alone, write, forUpdate, whole, contains } = database
  const found = sql`SELECT f.*, v.data FROM flow f JOIN flow_version v ON v.id = f.version_id`

  const get = (id: string) => flow(sql`${found} WHERE f.id = ${id} AND f.is_delete = 0`, ask)

  const head = batchedReads(
    database,
    (id: string) => id,
    (ids) =>
      Effect.map(heads(sql`SELECT * FROM flow WHERE ${sql.in("id", ids)} AND is_delete = 0`, ask), (rows) =>
        ids.map((id) => Option.fromNullable(rows.find((row) => row.id === id)))
      )
  )

  const addVersion = (flowId: string, userId: number, data: string, time: string) =>
    Effect.map(
      write(
        sql`INSERT INTO flow_version ${sql.insert({ flow_id: flowId, data, user_id: userId, create_time: time })}`
      ),
      (written) => written.id
    )

  return Flows.of({
    create: ({ data, ...flow }) =>
      Effect.gen(function* () {
        const { text: time } = yield* now
        const version = yield* addVersion(flow.id, flow.user_id, json(data), time)
        yield* sql`INSERT INTO flow ${sql.insert({
          id: flow.id,
          name: flow.name,
          description: flow.description,
          flow_type: flow.flow_type,
          status: flow.status,
          user_id: flow.user_id,
          version_id: version,
          is_delete: 0,
          create_time: time,
          update_time: time
        })}`
        const created = yield* get(flow.id)
        if (Option.isNone(created)) return yield* new SqlError({ message: "the new app is not there" })
        return created.value
      }).pipe(atomic, during("flows.create")),

    get: (id) => get(id).pipe(during("flows.get")),

    head: (id) => head(id).pipe(during("flows.head")),

    update: (id, change) =>
      Effect.gen(function* () {
        const before = yield* flow(sql`${found} WHERE f.id = ${id} AND f.is_delete = 0 ${forUpdate}`)
        if (Option.isNone(before)) return Option.none<Flow>()
        const { user_id, version_id, update_time, ...old } = before.value
        const time = sqlTime(new Date(Math.max((yield* now).date.getTime(), update_time.getTime() + 1)))
        const changed = change.data !== undefined && json(change.data) !== json(old.data)
        const version = changed ? yield* addVersion(id, user_id, json(change.data), time) : version_id
        yield* sql`UPDATE flow SET ${sql.update({
          name: change.name ?? old.name,
          description: change.description ?? old.description,
          status: change.status ?? old.status,
          version_id: version,
          update_time: time
        })} WHERE id = ${id}`
        return yield* get(id)
      }).pipe(atomic, during("flows.update")),

    remove: (id) =>
      write(sql`UPDATE flow SET is_delete = 1 WHERE id = ${id} AND is_delete = 0`).pipe(
        alone,
        Effect.map(({ changes }) => changes > 0),
        during("flows.remove")
      ),

    list: ({ visibleTo, flowType, keyword, onlineOnly, page, limit }) => {
      const wanted = sql.and([
        sql`f.is_delete = 0`,
        ...(visibleTo === null ? [] : [sql`(f.user_id = ${visibleTo} OR f.status = 2)`]),
        ...(flowType === null ? [] : [sql`f.flow_type = ${flowType}`]),
        ...(onlineOnly ? [sql`f.status = 2`] : []),
        ...(keyword === "" ? [] : [contains("f.name", keyword)])
      ])
      const skip = (Math.max(1, page) - 1) * limit
      return Effect.all({
        rows: flows(
          sql`${found} WHERE ${wanted} ORDER BY f.update_time DESC, f.id LIMIT ${whole(limit)} OFFSET ${whole(skip)}`
        ),
        total: Effect.map(
          count(sql`SELECT COUNT(*) AS n FROM flow f WHERE ${wanted}`),
          Option.match({ onNone: () => 0, onSome: (row) => row.n })
        )
      }).pipe(during("flows.list"))
    }
  })
}

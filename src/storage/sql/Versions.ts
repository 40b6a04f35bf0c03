import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Versions } from "../Versions.ts"
import { CountRow, sqlTime, VersionRow, VersionSummaryRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, now } from "./Database.ts"

const version = decodeFirst(VersionRow)
const summaries = decodeAll(VersionSummaryRow)
const count = decodeFirst(CountRow)

const json = (data: unknown): string => JSON.stringify(data ?? null)

export const makeVersions = (database: Database) => {
  const { sql, atomic, write, forUpdate, whole } = database

  /** A label says what people called it; versions made by a change of their app have none. */
  const fields = sql`v.id, v.flow_id, COALESCE(l.name, '') AS name, COALESCE(l.description, '') AS description, v.user_id, (CASE WHEN f.version_id = v.id THEN 1 ELSE 0 END) AS is_current, v.create_time, COALESCE(l.update_time, v.create_time) AS update_time`
  const found = sql`FROM flow_version v JOIN flow f ON f.id = v.flow_id AND f.is_delete = 0 LEFT JOIN flow_version_label l ON l.version_id = v.id`
  const isKept = sql`COALESCE(l.is_delete, 0) = 0`

  const get = (id: number) => version(sql`SELECT ${fields}, v.data ${found} WHERE v.id = ${id} AND ${isKept}`)

  /** As it is now that its app is held: a plain read would show what was when the transaction began. */
  const held = (id: number) =>
    version(sql`SELECT ${fields}, v.data ${found} WHERE v.id = ${id} AND ${isKept} ${forUpdate}`)

  /** Whoever changes an app's versions holds its row meanwhile. */
  const hold = (flowId: string) =>
    Effect.map(
      sql<{ readonly id: string }>`SELECT id FROM flow WHERE id = ${flowId} AND is_delete = 0 ${forUpdate}`,
      (rows) => rows.length > 0
    )

  const label = (
    id: number,
    said: { readonly name: string; readonly description: string; readonly is_delete: number },
    time: string
  ) =>
    Effect.gen(function* () {
      const known = yield* count(sql`SELECT COUNT(*) AS n FROM flow_version_label WHERE version_id = ${id}`)
      const row = { ...said, update_time: time }
      yield* Option.exists(known, ({ n }) => n > 0)
        ? sql`UPDATE flow_version_label SET ${sql.update(row)} WHERE version_id = ${id}`
        : sql`INSERT INTO flow_version_label ${sql.insert({ ...row, version_id: id })}`
    })

  const after = (time: Date, before: Date): string =>
    sqlTime(new Date(Math.max(time.getTime(), before.getTime() + 1)))

  /** The app was changed: its readers see another edition. */
  const touch = (flowId: string, versionId: number) =>
    Effect.gen(function* () {
      const { date } = yield* now
      const rows = yield* sql<{
        readonly update_time: string
      }>`SELECT update_time FROM flow WHERE id = ${flowId}`
      const before = new Date(`${(rows[0]?.update_time ?? sqlTime(date)).replace(" ", "T")}Z`)
      yield* sql`UPDATE flow SET ${sql.update({ version_id: versionId, update_time: after(date, before) })} WHERE id = ${flowId}`
    })

  return Versions.of({
    list: ({ flowId, page, limit }) => {
      const wanted = sql`${found} WHERE v.flow_id = ${flowId} AND ${isKept}`
      const skip = (Math.max(1, page) - 1) * limit
      return Effect.all({
        rows: summaries(
          sql`SELECT ${fields} ${wanted} ORDER BY v.id DESC LIMIT ${whole(limit)} OFFSET ${whole(skip)}`
        ),
        total: Effect.map(
          count(sql`SELECT COUNT(*) AS n ${wanted}`),
          Option.match({ onNone: () => 0, onSome: ({ n }) => n })
        )
      }).pipe(during("versions.list"))
    },

    get: (id) => get(id).pipe(during("versions.get")),

    create: ({ flow_id, user_id, data, name, description }) =>
      Effect.gen(function* () {
        if (!(yield* hold(flow_id))) return Option.none()
        const { text: time } = yield* now
        const row = { flow_id, data: json(data), user_id, create_time: time }
        const { id } = yield* write(sql`INSERT INTO flow_version ${sql.insert(row)}`)
        yield* label(id, { name, description, is_delete: 0 }, time)
        return yield* get(id)
      }).pipe(atomic, during("versions.create")),

    update: (id, change) =>
      Effect.gen(function* () {
        const seen = yield* get(id)
        if (Option.isNone(seen) || !(yield* hold(seen.value.flow_id))) return Option.none()
        const before = yield* held(id)
        if (Option.isNone(before)) return Option.none()
        const { name, description, update_time, flow_id } = before.value
        const { date } = yield* now
        const said = {
          name: change.name ?? name,
          description: change.description ?? description,
          is_delete: 0
        }
        yield* label(id, said, after(date, update_time))
        if (change.data !== undefined && json(change.data) !== json(before.value.data)) {
          yield* sql`UPDATE flow_version SET data = ${json(change.data)} WHERE id = ${id}`
          if (before.value.is_current) yield* touch(flow_id, id)
        }
        return yield* get(id)
      }).pipe(atomic, during("versions.update")),

    remove: (id) =>
      Effect.gen(function* () {
        const seen = yield* get(id)
        if (Option.isNone(seen) || !(yield* hold(seen.value.flow_id))) return false
        const before = yield* held(id)
        if (Option.isNone(before) || before.value.is_current) return false
        const { name, description } = before.value
        yield* label(id, { name, description, is_delete: 1 }, (yield* now).text)
        return true
      }).pipe(atomic, during("versions.remove")),

    setCurrent: (flowId, id) =>
      Effect.gen(function* () {
        if (!(yield* hold(flowId))) return false
        const chosen = yield* held(id)
        if (Option.isNone(chosen) || chosen.value.flow_id !== flowId) return false
        yield* touch(flowId, id)
        return true
      }).pipe(atomic, during("versions.setCurrent"))
  })
}

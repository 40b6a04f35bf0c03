/** A shelf of apps and people for tests of the catalogue: what the stores promise, and no more. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type FlowChange, Flows, type NewFlow } from "../../src/storage/Flows.ts"
import type { Flow, FlowVersion, UserRole } from "../../src/storage/rows.ts"
import { StorageError } from "../../src/storage/StorageError.ts"
import { Users } from "../../src/storage/Users.ts"
import { Versions } from "../../src/storage/Versions.ts"

export const makeShelf = () => {
  const rows = new Map<string, Flow>()
  const saved = new Map<number, FlowVersion>()
  const removed = new Set<string>()
  let clock = 0

  const put = (flow: NewFlow): Flow => {
    const now = new Date(++clock)
    const row = { ...flow, version_id: clock, create_time: now, update_time: now }
    rows.set(flow.id, row)
    return row
  }
  const change = (id: string, change: FlowChange): Option.Option<Flow> => {
    const row = rows.get(id)
    if (row === undefined) return Option.none()
    const version = "data" in change ? ++clock : row.version_id
    const changed = { ...row, ...change, version_id: version, update_time: new Date(++clock) }
    rows.set(id, changed)
    return Option.some(changed)
  }

  const flows = Layer.succeed(
    Flows,
    Flows.of({
      create: (flow) =>
        Effect.suspend(() =>
          rows.has(flow.id) || removed.has(flow.id)
            ? Effect.fail(new StorageError({ operation: "flows.create", cause: "exists" }))
            : Effect.succeed(put(flow))
        ),
      // As with a real database, others get their turn while one reads.
      get: (id) =>
        Effect.zipRight(
          Effect.yieldNow(),
          Effect.sync(() => Option.fromNullable(rows.get(id)))
        ),
      head: (id) =>
        Effect.zipRight(
          Effect.yieldNow(),
          Effect.sync(() => Option.fromNullable(rows.get(id)))
        ),
      update: (id, changes) => Effect.sync(() => change(id, changes)),
      remove: (id) =>
        Effect.sync(() => {
          removed.add(id)
          return rows.delete(id)
        }),
      list: () =>
        Effect.zipLeft(
          Effect.sync(() => ({ rows: [...rows.values()], total: rows.size })),
          Effect.yieldNow()
        )
    })
  )

  const roles: Readonly<Record<number, UserRole>> = { 1: "admin", 2: "user", 3: "user" }
  const nobody = Effect.dieMessage("the catalogue only reads people")
  const users = Layer.succeed(
    Users,
    Users.of({
      register: () => nobody,
      guest: () => nobody,
      credentials: () => nobody,
      get: (id) =>
        Effect.succeed(
          Option.map(Option.fromNullable(roles[id]), (role) => ({
            user_id: id,
            user_name: `user ${id}`,
            role,
            create_time: new Date(0)
          }))
        )
    })
  )

  const unused = Effect.dieMessage("the catalogue only reads versions")
  const versions = Layer.succeed(
    Versions,
    Versions.of({
      list: () => unused,
      get: (id) => Effect.sync(() => Option.fromNullable(saved.get(id))),
      create: () => unused,
      update: () => unused,
      remove: () => unused,
      setCurrent: () => unused
    })
  )

  return {
    save: (version: FlowVersion) => saved.set(version.id, version),
    put,
    change,
    remove: (id: string) => rows.delete(id),
    rows,
    layer: Layer.mergeAll(flows, users, versions)
  }
}

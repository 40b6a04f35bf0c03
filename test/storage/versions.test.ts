/** What every storage promises of an app's versions. */
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Layer } from "effect/Layer"
import * as Option from "effect/Option"
import { Flows } from "../../src/storage/Flows.ts"
import { Storage } from "../../src/storage/Storage.ts"
import { Versions } from "../../src/storage/Versions.ts"
import { MysqlStorage, SqliteStorage } from "../support/database.ts"
import { app, freshId, race, times } from "./suite/vocabulary.ts"

const suite = <E>(name: string, stores: Layer<Flows | Versions, E>) =>
  describe(name, () => {
    layer(stores)((it) => {
      const made = Effect.gen(function* () {
        const flows = yield* Flows
        const versions = yield* Versions
        const flow = yield* flows.create(app({ data: { nodes: ["first"] } }))
        const saved = yield* versions.create({
          flow_id: flow.id,
          user_id: 9,
          name: "草稿",
          description: "d",
          data: { nodes: ["second"] }
        })
        return { flows, versions, flow, saved: Option.getOrThrow(saved) }
      })

      it.effect("a saved version stands beside the current one until it is chosen", () =>
        Effect.gen(function* () {
          const { flows, versions, flow, saved } = yield* made
          expect(saved).toMatchObject({ name: "草稿", description: "d", user_id: 9, is_current: false })
          expect(saved.data).toEqual({ nodes: ["second"] })
          const listed = yield* versions.list({ flowId: flow.id, page: 1, limit: 10 })
          expect(listed.total).toBe(2)
          expect(listed.rows.map(({ id, is_current }) => [id, is_current])).toEqual([
            [saved.id, false],
            [flow.version_id, true]
          ])
          expect(listed.rows[0]).not.toHaveProperty("data")
          const paged = yield* versions.list({ flowId: flow.id, page: 2, limit: 1 })
          expect(paged.rows.map(({ id }) => id)).toEqual([flow.version_id])
          expect(Option.getOrThrow(yield* flows.get(flow.id)).data).toEqual({ nodes: ["first"] })
          expect(yield* versions.setCurrent(flow.id, saved.id)).toBe(true)
          const now = Option.getOrThrow(yield* flows.get(flow.id))
          expect(now).toMatchObject({ version_id: saved.id, data: { nodes: ["second"] } })
          expect(now.update_time.getTime()).toBeGreaterThan(flow.update_time.getTime())
        })
      )

      it.effect("a version's name and data change in place, and its app with it where it is current", () =>
        Effect.gen(function* () {
          const { flows, versions, flow, saved } = yield* made
          expect(Option.getOrThrow(yield* versions.update(saved.id, { name: "b" }))).toMatchObject({
            name: "b",
            description: "d",
            data: { nodes: ["second"] }
          })
          expect(Option.getOrThrow(yield* flows.get(flow.id)).update_time).toEqual(flow.update_time)
          yield* versions.update(flow.version_id, { data: { nodes: ["changed"] } })
          const now = Option.getOrThrow(yield* flows.get(flow.id))
          expect(now).toMatchObject({ version_id: flow.version_id, data: { nodes: ["changed"] } })
          expect(now.update_time.getTime()).toBeGreaterThan(flow.update_time.getTime())
        })
      )

      it.effect("a deleted version is gone, the current one stays", () =>
        Effect.gen(function* () {
          const { versions, flow, saved } = yield* made
          expect(yield* versions.remove(flow.version_id)).toBe(false)
          expect(yield* versions.remove(saved.id)).toBe(true)
          expect(yield* versions.remove(saved.id)).toBe(false)
          expect(yield* versions.get(saved.id)).toEqual(Option.none())
          expect(yield* versions.update(saved.id, { name: "risen" })).toEqual(Option.none())
          expect(yield* versions.setCurrent(flow.id, saved.id)).toBe(false)
          expect((yield* versions.list({ flowId: flow.id, page: 1, limit: 10 })).total).toBe(1)
        })
      )

      it.effect("versions go with their app, and belong to it alone", () =>
        Effect.gen(function* () {
          const { flows, versions, flow, saved } = yield* made
          const other = yield* flows.create(app())
          expect(yield* versions.setCurrent(other.id, saved.id)).toBe(false)
          yield* flows.remove(flow.id)
          expect(yield* versions.get(saved.id)).toEqual(Option.none())
          expect((yield* versions.list({ flowId: flow.id, page: 1, limit: 10 })).total).toBe(0)
          const version = { flow_id: flow.id, user_id: 1, name: "", description: "", data: {} }
          expect(yield* versions.create(version)).toEqual(Option.none())
          expect(yield* versions.create({ ...version, flow_id: freshId() })).toEqual(Option.none())
        })
      )

      it.effect("of choosing and deleting a version at once, one happens", () =>
        Effect.gen(function* () {
          const { flows, versions, flow } = yield* made
          const saved = yield* Effect.forEach(
            times(6, (i) => ({
              flow_id: flow.id,
              user_id: 1,
              name: `${i}`,
              description: "",
              data: { i }
            })),
            (version) => Effect.map(versions.create(version), Option.getOrThrow)
          )
          yield* race(
            saved.flatMap(({ id }) => [
              Effect.asVoid(versions.setCurrent(flow.id, id)),
              Effect.asVoid(versions.remove(id))
            ])
          )
          const now = Option.getOrThrow(yield* flows.get(flow.id))
          const current = Option.getOrThrow(yield* versions.get(now.version_id))
          expect(current.is_current).toBe(true)
          expect(current.data).toEqual(now.data)
        })
      )
    })
  })

suite("versions in memory", Storage.Memory)
suite("versions in SQLite", SqliteStorage)
suite("versions in MySQL", MysqlStorage)

import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type FlowQuery, Flows } from "../../../src/storage/Flows.ts"
import { app, freshId, freshUser, type It, itIs, race, someTime, times } from "./vocabulary.ts"

const listed = (query: Partial<FlowQuery>) =>
  Effect.gen(function* () {
    const { rows, total } = yield* (yield* Flows).list({
      visibleTo: null,
      flowType: null,
      keyword: "",
      onlineOnly: false,
      page: 1,
      limit: 1000,
      ...query
    })
    return { ids: rows.map((row) => row.id), total }
  })

export const flowsSuite = (it: It) => {
  it.effect("an app is kept as it was created", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      yield* itIs(someTime)
      const made = app({ name: "助手", description: "d".repeat(5000), flow_type: 10, status: 2 })
      const created = yield* flows.create(made)
      const now = new Date(someTime)
      expect(created).toEqual({ ...made, version_id: expect.any(Number), create_time: now, update_time: now })
      expect(yield* flows.get(made.id)).toEqual(Option.some(created))
      expect(yield* flows.get(freshId())).toEqual(Option.none())
    })
  )

  it.effect("an app is known without its graph, as it is now, and not when it is deleted", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const { data: _, ...created } = yield* flows.create(app({ name: "助手" }))
      expect(yield* flows.head(created.id)).toEqual(Option.some(created))
      const { data: __, ...changed } = Option.getOrThrow(
        yield* flows.update(created.id, { status: 2, data: { prompt: "be brief" } })
      )
      expect(yield* flows.head(created.id)).toEqual(Option.some(changed))
      expect(yield* flows.remove(created.id)).toBe(true)
      expect(yield* flows.head(created.id)).toEqual(Option.none())
      expect(yield* flows.head(freshId())).toEqual(Option.none())
    })
  )

  it.effect("an id is used once, even by a deleted app, and the app that has it stays as it is", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const created = yield* flows.create(app())
      const again = flows.create(app({ id: created.id, name: "another" }))
      expect(yield* Effect.flip(again)).toMatchObject({ _tag: "StorageError", operation: "flows.create" })
      expect(yield* flows.get(created.id)).toEqual(Option.some(created))
      expect(yield* flows.remove(created.id)).toBe(true)
      expect((yield* Effect.flip(again))._tag).toBe("StorageError")
      expect(yield* flows.get(created.id)).toEqual(Option.none())
    })
  )

  it.effect("of several apps with one id created at once, one is", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const id = freshId()
      const all = yield* race(times(8, (i) => Effect.either(flows.create(app({ id, name: `${i}` })))))
      const created = all.flatMap((one) => (one._tag === "Right" ? [one.right] : []))
      expect(created).toHaveLength(1)
      expect(yield* flows.get(id)).toEqual(Option.fromNullable(created[0]))
    })
  )

  it.effect("a change of the data makes a new version; other changes, and the same data, do not", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const { id, version_id, data } = yield* flows.create(app())
      const renamed = Option.getOrThrow(yield* flows.update(id, { name: "new name", description: "new" }))
      expect(renamed).toMatchObject({ name: "new name", description: "new", status: 1, version_id, data })
      const online = Option.getOrThrow(yield* flows.update(id, { status: 2, data }))
      expect(online).toMatchObject({ name: "new name", status: 2, version_id })
      const changed = Option.getOrThrow(yield* flows.update(id, { data: { prompt: "be brief" } }))
      expect(changed).toMatchObject({ name: "new name", status: 2, data: { prompt: "be brief" } })
      expect(changed.version_id).toBeGreaterThan(version_id)
      expect(yield* flows.get(id)).toEqual(Option.some(changed))
    })
  )

  it.effect("every change has a later time than the one before, even within a millisecond", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      yield* itIs(someTime)
      const { id, create_time } = yield* flows.create(app())
      const seen = new Set([create_time.getTime()])
      for (const name of ["a", "b", "c"]) {
        seen.add(Option.getOrThrow(yield* flows.update(id, { name })).update_time.getTime())
      }
      expect(seen.size).toBe(4)
      expect(Math.max(...seen)).toBe(Option.getOrThrow(yield* flows.get(id)).update_time.getTime())
    })
  )

  it.effect("changes at once all count", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const { id } = yield* flows.create(app())
      const changed = yield* race(times(10, (i) => flows.update(id, { data: { i } })))
      const versions = changed.map((one) => Option.getOrThrow(one).version_id)
      expect(new Set(versions).size).toBe(10)
      expect(Option.getOrThrow(yield* flows.get(id)).version_id).toBe(Math.max(...versions))
    })
  )

  it.effect("what a reader does with the data it got is its own affair", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const data = { nodes: [{ id: "a" }] }
      const { id } = yield* flows.create(app({ data }))
      data.nodes.push({ id: "b" })
      const [one, two] = yield* Effect.all([flows.get(id), flows.get(id)])
      expect(Option.getOrThrow(one).data).toEqual({ nodes: [{ id: "a" }] })
      expect(Option.getOrThrow(one).data).not.toBe(Option.getOrThrow(two).data)
    })
  )

  it.effect("a deleted app is not found, not changed, not listed, and deleted once", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const user_id = freshUser()
      const { id } = yield* flows.create(app({ user_id, status: 2 }))
      expect(yield* flows.remove(id)).toBe(true)
      expect(yield* flows.remove(id)).toBe(false)
      expect(yield* flows.get(id)).toEqual(Option.none())
      expect(yield* flows.update(id, { name: "risen" })).toEqual(Option.none())
      expect((yield* listed({ visibleTo: user_id })).ids).not.toContain(id)
      expect((yield* listed({})).ids).not.toContain(id)
      expect(yield* flows.update(freshId(), { name: "nobody" })).toEqual(Option.none())
    })
  )

  it.effect("a user sees his own apps and everybody's that are online; an admin sees all", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const user_id = freshUser()
      const tag = freshId()
      const make = (more: object) => Effect.map(flows.create(app({ name: tag, ...more })), ({ id }) => id)
      const draft = yield* make({ user_id })
      const mine = yield* make({ user_id, status: 2 })
      const theirDraft = yield* make({ user_id: user_id + 1 })
      const theirs = yield* make({ user_id: user_id + 1, status: 2 })
      const seen = (query: Partial<FlowQuery>) =>
        Effect.map(listed({ keyword: tag, ...query }), ({ ids, total }) => {
          expect(total).toBe(ids.length)
          return ids.toSorted()
        })
      expect(yield* seen({ visibleTo: user_id })).toEqual([draft, mine, theirs].toSorted())
      expect(yield* seen({ visibleTo: user_id, onlineOnly: true })).toEqual([mine, theirs].toSorted())
      expect(yield* seen({})).toEqual([draft, mine, theirDraft, theirs].toSorted())
    })
  )

  it.effect("apps are listed by latest change, by kind, by part of the name, page by page", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const tag = freshId()
      const make = (i: number, name: string, flow_type: 1 | 5 | 10) =>
        Effect.zipRight(
          itIs(someTime + i),
          Effect.map(flows.create(app({ name: `${tag} ${name}`, flow_type })), ({ id }) => id)
        )
      const a = yield* make(0, "100% A_B", 1)
      const b = yield* make(1, "ab", 5)
      const c = yield* make(2, "axb", 10)
      const find = (query: Partial<FlowQuery>) => listed({ keyword: tag, ...query })
      expect(yield* find({})).toEqual({ ids: [c, b, a], total: 3 })
      expect(yield* find({ limit: 2 })).toEqual({ ids: [c, b], total: 3 })
      expect(yield* find({ limit: 2, page: 2 })).toEqual({ ids: [a], total: 3 })
      expect(yield* find({ flowType: 5 })).toEqual({ ids: [b], total: 1 })
      expect(yield* find({ keyword: `${tag} 100%` })).toEqual({ ids: [a], total: 1 })
      expect(yield* find({ keyword: `${tag} a_b` })).toEqual({ ids: [], total: 0 })
      expect(yield* find({ keyword: `${tag.toUpperCase()} AX` })).toEqual({ ids: [c], total: 1 })
      yield* itIs(someTime + 10)
      yield* flows.update(a, { description: "changed" })
      expect((yield* find({})).ids).toEqual([a, c, b])
    })
  )
}

import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Flows } from "../Flows.ts"
import type { Flow, FlowHead } from "../rows.ts"
import { StorageError } from "../StorageError.ts"
import { at, contains, type MemoryState, pageOf } from "./state.ts"

type Stored = MemoryState["flows"] extends Map<string, infer A> ? A : never

const json = (data: unknown): string => JSON.stringify(data ?? null)

const shown = ({ json, deleted, ...flow }: Stored): Flow => ({ ...flow, data: JSON.parse(json) })

const headOf = ({ json, deleted, ...head }: Stored): FlowHead => head

export const makeFlows = (state: MemoryState) => {
  const kept = (id: string) => {
    const flow = state.flows.get(id)
    return flow === undefined || flow.deleted ? undefined : flow
  }

  const addVersion = (flow: Stored, userId: number, now: Date): void => {
    state.versions.set(flow.version_id, {
      id: flow.version_id,
      flow_id: flow.id,
      name: "",
      description: "",
      user_id: userId,
      json: flow.json,
      create_time: now,
      update_time: now
    })
  }

  return Flows.of({
    create: ({ data, ...flow }) =>
      Effect.flatten(
        at((now): Either.Either<Flow, StorageError> => {
          if (state.flows.has(flow.id)) {
            const cause = new Error(`app ${flow.id} exists`)
            return Either.left(new StorageError({ operation: "flows.create", cause }))
          }
          const stored: Stored = {
            ...flow,
            json: json(data),
            version_id: state.next("version"),
            create_time: now,
            update_time: now,
            deleted: false
          }
          state.flows.set(flow.id, stored)
          addVersion(stored, stored.user_id, now)
          return Either.right(shown(stored))
        })
      ),

    get: (id) => Effect.sync(() => Option.map(Option.fromNullable(kept(id)), shown)),

    head: (id) => Effect.sync(() => Option.map(Option.fromNullable(kept(id)), headOf)),

    update: (id, change) =>
      at((now) => {
        const old = kept(id)
        if (old === undefined) return Option.none()
        const data = change.data === undefined ? old.json : json(change.data)
        const stored: Stored = {
          ...old,
          name: change.name ?? old.name,
          description: change.description ?? old.description,
          status: change.status ?? old.status,
          json: data,
          version_id: data === old.json ? old.version_id : state.next("version"),
          update_time: new Date(Math.max(now.getTime(), old.update_time.getTime() + 1))
        }
        state.flows.set(id, stored)
        if (stored.version_id !== old.version_id) addVersion(stored, stored.user_id, now)
        return Option.some(shown(stored))
      }),

    remove: (id) =>
      Effect.sync(() => {
        const flow = kept(id)
        if (flow !== undefined) state.flows.set(id, { ...flow, deleted: true })
        return flow !== undefined
      }),

    list: ({ visibleTo, flowType, keyword, onlineOnly, page, limit }) =>
      Effect.sync(() => {
        const rows = [...state.flows.values()]
          .filter(
            (flow) =>
              !flow.deleted &&
              (visibleTo === null || flow.user_id === visibleTo || flow.status === 2) &&
              (flowType === null || flow.flow_type === flowType) &&
              (!onlineOnly || flow.status === 2) &&
              contains(flow.name, keyword)
          )
          .toSorted((a, b) => b.update_time.getTime() - a.update_time.getTime() || (a.id < b.id ? -1 : 1))
        return { rows: pageOf(rows, page, limit).map(shown), total: rows.length }
      })
  })
}

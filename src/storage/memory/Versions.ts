import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { FlowVersion } from "../rows.ts"
import { Versions } from "../Versions.ts"
import { at, type MemoryState, pageOf } from "./state.ts"

type Stored = MemoryState["versions"] extends Map<number, infer A> ? A : never

const json = (data: unknown): string => JSON.stringify(data ?? null)

const later = (now: Date, before: Date): Date => new Date(Math.max(now.getTime(), before.getTime() + 1))

export const makeVersions = (state: MemoryState) => {
  const flowOf = (id: string) => {
    const flow = state.flows.get(id)
    return flow === undefined || flow.deleted ? undefined : flow
  }

  const summary = ({ json: _, ...version }: Stored): Omit<FlowVersion, "data"> => ({
    ...version,
    is_current: flowOf(version.flow_id)?.version_id === version.id
  })

  const shown = (version: Stored): FlowVersion => ({ ...summary(version), data: JSON.parse(version.json) })

  const kept = (id: number): Stored | undefined => {
    const version = state.versions.get(id)
    return version === undefined || flowOf(version.flow_id) === undefined ? undefined : version
  }

  return Versions.of({
    list: ({ flowId, page, limit }) =>
      Effect.sync(() => {
        const rows =
          flowOf(flowId) === undefined
            ? []
            : [...state.versions.values()]
                .filter((version) => version.flow_id === flowId)
                .toSorted((a, b) => b.id - a.id)
        return { rows: pageOf(rows, page, limit).map(summary), total: rows.length }
      }),

    get: (id) => Effect.sync(() => Option.map(Option.fromNullable(kept(id)), shown)),

    create: ({ data, ...version }) =>
      at((now) => {
        if (flowOf(version.flow_id) === undefined) return Option.none()
        const id = state.next("version")
        const stored: Stored = { ...version, id, json: json(data), create_time: now, update_time: now }
        state.versions.set(id, stored)
        return Option.some(shown(stored))
      }),

    update: (id, change) =>
      at((now) => {
        const old = kept(id)
        if (old === undefined) return Option.none()
        const stored: Stored = {
          ...old,
          name: change.name ?? old.name,
          description: change.description ?? old.description,
          json: change.data === undefined ? old.json : json(change.data),
          update_time: later(now, old.update_time)
        }
        state.versions.set(id, stored)
        const flow = flowOf(old.flow_id)
        if (flow?.version_id === id && stored.json !== old.json) {
          const update_time = later(now, flow.update_time)
          state.flows.set(flow.id, { ...flow, json: stored.json, update_time })
        }
        return Option.some(shown(stored))
      }),

    remove: (id) =>
      Effect.sync(() => {
        const version = kept(id)
        if (version === undefined || flowOf(version.flow_id)?.version_id === id) return false
        return state.versions.delete(id)
      }),

    setCurrent: (flowId, id) =>
      at((now) => {
        const version = kept(id)
        const flow = flowOf(flowId)
        if (version === undefined || flow === undefined || version.flow_id !== flowId) return false
        const update_time = later(now, flow.update_time)
        state.flows.set(flowId, { ...flow, version_id: id, json: version.json, update_time })
        return true
      })
  })
}

import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Reports } from "../Reports.ts"
import { at, type MemoryState } from "./state.ts"

export const makeReports = (state: MemoryState) =>
  Reports.of({
    latest: (flowId) => Effect.sync(() => Option.fromNullable(state.templates.get(flowId)?.at(-1))),

    add: ({ flow_id, file_id, file_name, user_id }) =>
      at((now) => {
        const before = state.templates.get(flow_id) ?? []
        const version = (before.at(-1)?.version ?? 0) + 1
        const template = { flow_id, version, file_id, file_name, user_id, create_time: now }
        state.templates.set(flow_id, [...before, template])
        return template
      }),

    remove: (flowId) =>
      Effect.sync(() => {
        const rows = state.templates.get(flowId) ?? []
        state.templates.delete(flowId)
        return rows.toReversed()
      })
  })

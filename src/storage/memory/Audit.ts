import * as Effect from "effect/Effect"
import { Audit } from "../Audit.ts"
import { at, type MemoryState } from "./state.ts"

export const makeAudit = (state: MemoryState) =>
  Audit.of({
    add: (entry) =>
      at((now) => {
        state.audit.push({ ...entry, id: state.audit.length + 1, create_time: now })
      }),

    list: ({ objectId, limit }) =>
      Effect.sync(() =>
        state.audit
          .filter((entry) => objectId === null || entry.objectId === objectId)
          .toReversed()
          .slice(0, limit)
      )
  })

import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Files } from "../Files.ts"
import type { StoredFile } from "../rows.ts"
import { StorageError } from "../StorageError.ts"
import { at, type MemoryState } from "./state.ts"

export const makeFiles = (state: MemoryState) =>
  Files.of({
    add: (file) =>
      Effect.flatten(
        at((now): Either.Either<StoredFile, StorageError> => {
          if (state.files.has(file.id)) {
            const cause = new Error(`file ${file.id} exists`)
            return Either.left(new StorageError({ operation: "files.add", cause }))
          }
          const stored = { ...file, create_time: now }
          state.files.set(file.id, stored)
          return Either.right(stored)
        })
      ),

    get: (id) => Effect.sync(() => Option.fromNullable(state.files.get(id))),

    // A map keeps the order of insertion.
    ofFlow: (flowId, userIds) =>
      Effect.sync(() =>
        [...state.files.values()].filter((file) => file.flow_id === flowId && userIds.includes(file.user_id))
      ),

    remove: (id) => Effect.sync(() => state.files.delete(id))
  })

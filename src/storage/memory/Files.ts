import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Files } from "../Files.ts"
import type { StoredFile } from "../rows.ts"
import { StorageError } from "../StorageError.ts"
import { at, type MemoryState, pageOf } from "./state.ts"

export const makeFiles = (state: MemoryState) => {
  /** A map keeps the order of insertion. */
  const those = (wanted: (file: StoredFile) => boolean) =>
    Effect.sync((): ReadonlyArray<StoredFile> => [...state.files.values()].filter(wanted))

  return Files.of({
    add: (file) =>
      Effect.flatten(
        at((now): Either.Either<StoredFile, StorageError> => {
          if (state.files.has(file.id)) {
            const cause = new Error(`file ${file.id} exists`)
            return Either.left(new StorageError({ operation: "files.add", cause }))
          }
          const { chat_id = "", purpose = "document" } = file
          const stored = { ...file, chat_id, purpose, create_time: now }
          state.files.set(file.id, stored)
          return Either.right(stored)
        })
      ),

    get: (id) => Effect.sync(() => Option.fromNullable(state.files.get(id))),

    getAll: (ids) => those((file) => ids.includes(file.id)),

    ofFlow: (flowId, userIds, chatId = "") =>
      those(
        (file) =>
          file.flow_id === flowId &&
          userIds.includes(file.user_id) &&
          file.purpose === "document" &&
          (file.chat_id === "" || file.chat_id === chatId)
      ),

    list: ({ userId, flowId, chatId, page, limit }) =>
      those(
        (file) =>
          file.user_id === userId &&
          file.purpose !== "template" &&
          (flowId === "" || file.flow_id === flowId) &&
          (chatId === "" || file.chat_id === chatId)
      ).pipe(
        Effect.map((all) => {
          const rows = all.toSorted(
            (a, b) => b.create_time.getTime() - a.create_time.getTime() || (a.id < b.id ? -1 : 1)
          )
          return { rows: pageOf(rows, page, limit), total: rows.length }
        })
      ),

    usage: (userId) =>
      Effect.map(
        those((file) => file.user_id === userId),
        (all) => ({ files: all.length, bytes: all.reduce((sum, file) => sum + file.bytes, 0) })
      ),

    ofChat: (chatId, userId) =>
      those((file) => chatId !== "" && file.chat_id === chatId && file.user_id === userId),

    remove: (id) => Effect.sync(() => state.files.delete(id))
  })
}

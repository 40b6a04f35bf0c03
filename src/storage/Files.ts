/** Uploaded files' records. The bytes are the knowledge room's business. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StoredFile } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

export interface FileStore {
  readonly add: (file: Omit<StoredFile, "create_time">) => Effect.Effect<StoredFile, StorageError>
  readonly get: (id: string) => Effect.Effect<Option.Option<StoredFile>, StorageError>
  /** Files these users uploaded for this app, oldest first. */
  readonly ofFlow: (
    flowId: string,
    userIds: ReadonlyArray<number>
  ) => Effect.Effect<ReadonlyArray<StoredFile>, StorageError>
  readonly remove: (id: string) => Effect.Effect<boolean, StorageError>
}

export class Files extends Context.Tag("colloquy/storage/Files")<Files, FileStore>() {}

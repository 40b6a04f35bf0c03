/** Files' records: what people gave, and what was made for them. The bytes are the knowledge room's business. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StoredFile } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

/** Without a chat it is the app's, and unless said it is a document. */
export type NewFile = Omit<StoredFile, "create_time" | "chat_id" | "purpose"> &
  Partial<Pick<StoredFile, "chat_id" | "purpose">>

export interface FileQuery {
  readonly userId: number
  /** "" for those of all apps. */
  readonly flowId: string
  /** "" for those of all chats. */
  readonly chatId: string
  readonly page: number
  readonly limit: number
}

export interface FileStore {
  readonly add: (file: NewFile) => Effect.Effect<StoredFile, StorageError>
  readonly get: (id: string) => Effect.Effect<Option.Option<StoredFile>, StorageError>
  /** Those of the ids that there are, in no order. */
  readonly getAll: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<StoredFile>, StorageError>
  /**
   * Documents that these users uploaded for this app, oldest first: those for the whole app, and those of this
   * chat where one is named. Those of other chats are not among them.
   */
  readonly ofFlow: (
    flowId: string,
    userIds: ReadonlyArray<number>,
    chatId?: string
  ) => Effect.Effect<ReadonlyArray<StoredFile>, StorageError>
  /** A user's own documents and the files made for them, newest first. */
  readonly list: (
    query: FileQuery
  ) => Effect.Effect<{ readonly rows: ReadonlyArray<StoredFile>; readonly total: number }, StorageError>
  /** What a user's files take, all of them. */
  readonly usage: (
    userId: number
  ) => Effect.Effect<{ readonly files: number; readonly bytes: number }, StorageError>
  /** This user's files in a chat, of every purpose. */
  readonly ofChat: (chatId: string, userId: number) => Effect.Effect<ReadonlyArray<StoredFile>, StorageError>
  readonly remove: (id: string) => Effect.Effect<boolean, StorageError>
}

export class Files extends Context.Tag("colloquy/storage/Files")<Files, FileStore>() {}

/** Who did what, append only. Opening a chat is written by `Runs.accept`; the rest comes through here. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "./StorageError.ts"

export interface AuditEntry {
  readonly userId: number
  /** "chat.create", "chat.delete", "app.create", "app.update", "app.delete", "user.register", "user.login" … */
  readonly action: string
  /** The chat, app or user it was done to. */
  readonly objectId: string
  readonly ip: string
}

export interface AuditStore {
  readonly add: (entry: AuditEntry) => Effect.Effect<void, StorageError>
  /** Newest first. */
  readonly list: (query: {
    readonly objectId: string | null
    readonly limit: number
  }) => Effect.Effect<
    ReadonlyArray<AuditEntry & { readonly id: number; readonly create_time: Date }>,
    StorageError
  >
}

export class Audit extends Context.Tag("colloquy/storage/Audit")<Audit, AuditStore>() {}

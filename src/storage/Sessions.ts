/** Chat sessions (`message_session`) as their owners list and open them. Deleting is soft. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { ChatMessage, FlowType, MessageSession } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

export interface SessionQuery {
  readonly userId: number
  readonly flowType: FlowType | null
  readonly flowId: string | null
  /** Part of the session's or the app's name; "" for all. */
  readonly keyword: string
  /** Where in the list the page begins. */
  readonly from: ListStart
  readonly limit: number
}

/**
 * After a row that was listed, which costs the same at any depth (`null`: the top of the list), or after so many
 * rows, which are counted off one by one.
 */
export type ListStart = { readonly after: ListedAt | null } | { readonly skip: number }

/** A session's place in the list. */
export interface ListedAt {
  readonly updateTime: Date
  readonly chatId: string
}

export interface SessionStore {
  /** Deleted sessions are not found. */
  readonly get: (chatId: string) => Effect.Effect<Option.Option<MessageSession>, StorageError>
  /** Latest activity first; of equals the greater chat id. */
  readonly list: (query: SessionQuery) => Effect.Effect<ReadonlyArray<MessageSession>, StorageError>
  /** Newest question or answer of each of these sessions; sessions without one are left out. */
  readonly latestMessages: (
    chatIds: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<ChatMessage>, StorageError>
  /** Soft; answers whether there was one. A deleted chat id can never be used again. */
  readonly remove: (chatId: string) => Effect.Effect<boolean, StorageError>
  /** From now on only messages after the latest one are given to the model. */
  readonly forget: (chatId: string) => Effect.Effect<void, StorageError>
}

export class Sessions extends Context.Tag("colloquy/storage/Sessions")<Sessions, SessionStore>() {}

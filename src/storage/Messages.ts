/** Messages (`chat_message`) as history shows them and as the model is reminded of them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { ChatMessage } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

export interface HistoryQuery {
  readonly chatId: string
  /** Only messages with smaller ids: the page before the one that began with it; null for the newest page. */
  readonly before: number | null
  /** At most this many. */
  readonly limit: number
}

/** What the model is reminded of. */
export type Reminder = Pick<ChatMessage, "category" | "message" | "extra" | "remark">

export interface MessageStore {
  readonly get: (id: number) => Effect.Effect<Option.Option<ChatMessage>, StorageError>
  /** Newest first, by keyset: a page costs the same at any depth. */
  readonly page: (query: HistoryQuery) => Effect.Effect<ReadonlyArray<ChatMessage>, StorageError>
  /** `extra` of the chat's latest question that filled in the app's form: of a run with one of these actions. */
  readonly latestFilling: (
    chatId: string,
    actions: ReadonlyArray<string>
  ) => Effect.Effect<Option.Option<string>, StorageError>
  /** Every message of a run, oldest first. */
  readonly ofRun: (runId: string) => Effect.Effect<ReadonlyArray<ChatMessage>, StorageError>
  /**
   * The messages of the latest `rounds` complete rounds, oldest first: of the runs with status `done` whose
   * question lies after the session's memory floor, every message, without those remarked `break_answer`.
   */
  readonly memory: (chatId: string, rounds: number) => Effect.Effect<ReadonlyArray<Reminder>, StorageError>
}

export class Messages extends Context.Tag("colloquy/storage/Messages")<Messages, MessageStore>() {}

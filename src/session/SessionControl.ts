/** What the rest of the server may do to live sessions without knowing how they work. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../storage/StorageError.ts"

export interface SessionControlService {
  /** Ends whatever runs or waits in this chat and lets its sockets' next payload find it gone. */
  readonly forget: (chatId: string) => Effect.Effect<void, StorageError>
  /** true from the moment the server was asked to stop: no new sockets, no new runs. */
  readonly draining: Effect.Effect<boolean>
}

export class SessionControl extends Context.Tag("colloquy/SessionControl")<
  SessionControl,
  SessionControlService
>() {}

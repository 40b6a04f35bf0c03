import * as Data from "effect/Data"

/** The database could not do it: unreachable, out of space, a broken statement. `cause` is for the log only. */
export class StorageError extends Data.TaggedError("StorageError")<{
  readonly operation: string
  readonly cause: unknown
}> {}

/** The session exists and belongs to another user or another app. */
export class SessionTaken extends Data.TaggedError("SessionTaken")<{ readonly chatId: string }> {}

/** A question of this chat runs or waits, and this one must not wait. */
export class ChatBusy extends Data.TaggedError("ChatBusy")<{ readonly chatId: string }> {}

/** As many questions of this chat wait as may. */
export class ChatFull extends Data.TaggedError("ChatFull")<{ readonly limit: number }> {}

/** That user name is in use. */
export class NameTaken extends Data.TaggedError("NameTaken")<{ readonly userName: string }> {}

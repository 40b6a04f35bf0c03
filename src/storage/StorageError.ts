import * as Data from "effect/Data"

/** The database could not do it: unreachable, out of space, a broken statement. `cause` is for the log only. */
export class StorageError extends Data.TaggedError("StorageError")<{
  readonly operation: string
  readonly cause: unknown
}> {}

/** The session exists and belongs to another user or another app. */
export class SessionTaken extends Data.TaggedError("SessionTaken")<{ readonly chatId: string }> {}

/** That user name is in use. */
export class NameTaken extends Data.TaggedError("NameTaken")<{ readonly userName: string }> {}

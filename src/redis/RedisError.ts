import * as Data from "effect/Data"

/** A command failed, or Redis did not answer in time. The cause is for the log alone. */
export class RedisError extends Data.TaggedError("RedisError")<{
  readonly operation: string
  readonly cause: unknown
}> {}

/** What nobody expected: it goes to the log under a fresh id, and the client gets the id alone. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Defect, RunFailed } from "../protocol/errors.ts"
import type { StorageError } from "../storage/StorageError.ts"

export const loggedDefect = (where: string, cause: Cause.Cause<unknown>): Effect.Effect<Defect> =>
  Effect.suspend(() => {
    const errorId = crypto.randomUUID().replaceAll("-", "")
    return Effect.as(Effect.logError(`${where}: error ${errorId}`, cause), new Defect({ errorId }))
  })

/** What the client is told of a run's failure. */
export const presentable = (
  runId: string,
  cause: Cause.Cause<RunFailed | StorageError>
): Effect.Effect<RunFailed | Defect> => {
  const failure = Option.orElse(
    Option.filter(Cause.failureOption(cause), (error) => error instanceof RunFailed),
    () => Option.filter(Cause.dieOption(cause), (error) => error instanceof RunFailed)
  )
  return Option.isSome(failure) && failure.value instanceof RunFailed
    ? Effect.succeed(failure.value)
    : loggedDefect(`run ${runId}`, cause)
}

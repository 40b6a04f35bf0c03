/**
 * Fills a .docx template: `{{name}}` becomes the value of that name, whatever the name holds.
 *
 * Promises: a template is an upload and is trusted in nothing: it is filled in a thread of its own with bounds on
 * time, memory and unpacked size, and nothing in it is executed or fetched. What is wrong with it is said in words.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { startThread } from "../../knowledge/thread.ts"
import { type Filled, type Filling, Reply } from "./Filling.ts"

/** `reason` is for people. */
export class TemplateRefused extends Data.TaggedError("TemplateRefused")<{ readonly reason: string }> {}

export interface FillLimits {
  readonly timeout: Duration.DurationInput
  readonly memoryMb: number
  /** Of all values together. */
  readonly maxCharacters: number
}

export const fillLimits: FillLimits = {
  timeout: "30 seconds",
  memoryMb: 256,
  maxCharacters: 32 * 1024 * 1024
}

const decodeReply = Schema.decodeUnknownEither(Reply)

export const fillTemplate = (
  filling: Filling,
  limits: FillLimits = fillLimits
): Effect.Effect<Filled, TemplateRefused> => {
  const refused = (reason: string) => new TemplateRefused({ reason })
  if (charactersOf(filling) > limits.maxCharacters) {
    return Effect.fail(refused("there is more text than a document can take"))
  }
  return Effect.async<Filled, TemplateRefused>((resume) => {
    const worker = startThread("app/report/fillWorker", {
      workerData: filling,
      resourceLimits: { maxOldGenerationSizeMb: limits.memoryMb }
    })
    worker.once("message", (message: unknown) => {
      const reply = decodeReply(message)
      if (Either.isLeft(reply)) return resume(Effect.die(reply.left))
      resume(
        reply.right._tag === "Filled"
          ? Effect.succeed({ bytes: reply.right.bytes, unfilled: reply.right.unfilled })
          : Effect.fail(refused(reply.right.reason))
      )
    })
    worker.once("error", (error: NodeJS.ErrnoException) =>
      resume(
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? Effect.fail(refused("the template is too large to be filled"))
          : Effect.die(error)
      )
    )
    worker.once("exit", () =>
      resume(Effect.dieMessage("the thread that fills templates ended without a reply"))
    )
    return Effect.promise(() => worker.terminate())
  }).pipe(
    Effect.timeoutFail({
      duration: limits.timeout,
      onTimeout: () => refused(`filling the template took more than ${Duration.format(limits.timeout)}`)
    })
  )
}

const charactersOf = ({ values, lists }: Filling): number => {
  const size = (row: Readonly<Record<string, string>>) =>
    Object.entries(row).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return Object.values(lists)
    .flat()
    .reduce((sum, row) => sum + size(row), size(values))
}

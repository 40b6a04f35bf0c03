/**
 * What a killed server left behind is put right when it starts again: every run it owned gets an end, and
 * what had been streamed is kept as a broken answer. Queued questions stay stored; their runs are lost.
 */
import * as Effect from "effect/Effect"
import { RunLost, tell } from "../protocol/errors.ts"
import { Runs } from "../storage/Runs.ts"
import { breakAnswer, type NewMessage, type Run } from "../storage/rows.ts"

const partial = (run: Run): ReadonlyArray<NewMessage> =>
  [
    { category: "reasoning_answer", message: run.partial_reasoning },
    { category: "answer", message: run.partial_text }
  ]
    .filter(({ message }) => message !== "")
    .map((row) => ({ ...row, is_bot: true, type: "end", remark: breakAnswer }))

/** Ends every unfinished run of this node; answers how many there were. */
export const recoverRuns = (nodeId: string) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const lost = yield* runs.unfinished(nodeId)
    const error = tell(new RunLost()).status_message
    yield* Effect.forEach(lost, (run) =>
      runs.finish(run.id, {
        status: "lost",
        error,
        messages: partial(run),
        promptTokens: 0,
        completionTokens: 0
      })
    )
    return lost.length
  })

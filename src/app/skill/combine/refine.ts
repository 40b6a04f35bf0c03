/** An answer from the first passage, improved by one passage after the other. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { unwrapped } from "../../../protocol/eventStream.ts"
import { noUsage, type Passage, type RunEvent } from "../../../protocol/RunEvent.ts"
import type { Question } from "../../App.ts"
import { sum } from "../chain.ts"
import type { CombinePart } from "../Part.ts"
import { answerMessages, askModelQuietly } from "../promptChain.ts"
import { type Combining, written } from "./Combining.ts"
import { stuff } from "./stuff.ts"
import { refineStep, refineSummary, stuffInstruction, summary } from "./words.ts"

export const refine =
  (combining: Combining): CombinePart["answer"] =>
  (question, passages) => {
    // One passage has nothing to be refined by.
    if (passages.length <= 1) return stuff(combining)(question, passages)
    return Stream.concat(
      Stream.succeed<RunEvent>({
        _tag: "Step",
        text: `Reading ${passages.length} passages one after the other`
      }),
      refined(question, passages, combining)
    )
  }

const refined = (question: Question, passages: ReadonlyArray<Passage>, combining: Combining) =>
  Effect.gen(function* () {
    const { bench, documentPrompt, model, summing } = combining
    let before = ""
    let usage = noUsage
    let prompt = ""
    for (const [at, passage] of passages.entries()) {
      const text = written(passage, documentPrompt, question)
      const context = typeof text === "string" ? text : yield* text
      prompt = promptOf({ first: at === 0, context, question: question.text, before, summing })
      if (at === passages.length - 1) break
      const completion = yield* askModelQuietly(question, prompt, model, bench)
      before = completion.text
      usage = sum(usage, completion.usage)
    }
    return Stream.concat(
      Stream.succeed<RunEvent>({ _tag: "Step", text: prompt }),
      answerMessages(question, [{ role: "user", content: prompt }], model, bench, passages, [usage])
    )
  }).pipe(unwrapped)

const promptOf = (step: {
  readonly first: boolean
  readonly context: string
  readonly question: string
  readonly before: string
  readonly summing: boolean
}): string => {
  if (step.summing) return step.first ? summary(step.context) : refineSummary(step.context, step.before)
  return step.first
    ? `${stuffInstruction(step.context)}\n\nQuestion: ${step.question}`
    : refineStep(step.context, step.question, step.before)
}

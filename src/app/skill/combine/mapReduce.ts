/** Each passage on its own, several at a time, then one answer from what they gave. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { RunFailed } from "../../../protocol/errors.ts"
import { unwrapped } from "../../../protocol/eventStream.ts"
import type { RunEvent, Usage } from "../../../protocol/RunEvent.ts"
import type { Question } from "../../App.ts"
import { sum } from "../chain.ts"
import type { CombinePart } from "../Part.ts"
import { answerMessages, askModelQuietly } from "../promptChain.ts"
import { type Combining, concurrentSteps, roughTokens, written } from "./Combining.ts"
import { fillContext } from "./stuff.ts"
import { collapseStep, mapStep, reduceStep, summary } from "./words.ts"

/** What the last step reads at most; more is put together first, group by group. */
const maxReduceTokens = 3_000

interface Findings {
  readonly texts: ReadonlyArray<string>
  readonly usage: Usage
}

export const mapReduce =
  (combining: Combining): CombinePart["answer"] =>
  (question, passages) =>
    Stream.concat(
      Stream.succeed<RunEvent>({ _tag: "Step", text: `Reading ${passages.length} passages one by one` }),
      Effect.gen(function* () {
        const { bench, documentPrompt, model, prompt, summing } = combining
        const texts = yield* Effect.forEach(passages, (passage) => {
          const text = written(passage, documentPrompt, question)
          return typeof text === "string" ? Effect.succeed(text) : text
        })
        const mapped = yield* askEach(
          texts.map((text) => (summing ? summary(text) : mapStep(text, question.text))),
          question,
          combining
        )
        const { texts: findings, usage } = yield* collapsed(mapped, question, combining)
        const context = findings.join("\n\n")
        const content =
          prompt !== null
            ? yield* fillContext(prompt, question, context)
            : summing
              ? summary(context)
              : reduceStep(context, question.text)
        return Stream.concat(
          Stream.succeed<RunEvent>({ _tag: "Step", text: content }),
          answerMessages(question, [{ role: "user", content }], model, bench, passages, [usage])
        )
      }).pipe(unwrapped)
    )

const askEach = (
  prompts: ReadonlyArray<string>,
  question: Question,
  { bench, model }: Combining
): Effect.Effect<Findings, RunFailed> =>
  Effect.map(
    Effect.forEach(prompts, (prompt) => askModelQuietly(question, prompt, model, bench), {
      concurrency: concurrentSteps
    }),
    (completions) => ({
      texts: completions.map(({ text }) => text),
      usage: sum(...completions.map(({ usage }) => usage))
    })
  )

const collapsed = (
  found: Findings,
  question: Question,
  combining: Combining
): Effect.Effect<Findings, RunFailed> => {
  const groups = grouped(found.texts)
  // A group for each text: they are as short as they get.
  if (groups.length <= 1 || groups.length === found.texts.length) return Effect.succeed(found)
  const prompts = groups.map((group) => {
    const context = group.join("\n\n")
    return combining.summing ? summary(context) : collapseStep(context, question.text)
  })
  return Effect.flatMap(askEach(prompts, question, combining), ({ texts, usage }) =>
    collapsed({ texts, usage: sum(found.usage, usage) }, question, combining)
  )
}

/** Neighbours together as long as they fit the last step. */
const grouped = (texts: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const groups: Array<Array<string>> = []
  let tokens = 0
  for (const text of texts) {
    const size = roughTokens(text)
    const last = groups.at(-1)
    if (last !== undefined && tokens + size <= maxReduceTokens) {
      last.push(text)
      tokens += size
    } else {
      groups.push([text])
      tokens = size
    }
  }
  return groups
}

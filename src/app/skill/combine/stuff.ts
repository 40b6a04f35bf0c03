/** All passages in one prompt. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ModelMessage } from "../../../model/LanguageModel.ts"
import type { RunFailed } from "../../../protocol/errors.ts"
import { unwrapped } from "../../../protocol/eventStream.ts"
import type { Passage, RunEvent } from "../../../protocol/RunEvent.ts"
import type { Question } from "../../App.ts"
import type { CombinePart, PromptPart } from "../Part.ts"
import { answerMessages, filled } from "../promptChain.ts"
import { type Combining, roughTokens, written } from "./Combining.ts"
import { stuffInstruction, summary } from "./words.ts"

export const stuff =
  (combining: Combining): CombinePart["answer"] =>
  (question, passages) =>
    Effect.gen(function* () {
      const context = yield* contextOf(question, passages, combining)
      const messages = yield* messagesOf(question, context, combining)
      return Stream.concat(
        Stream.succeed<RunEvent>({
          _tag: "Step",
          text: messages.map(({ content }) => content).join("\n\n")
        }),
        answerMessages(question, messages, combining.model, combining.bench, passages)
      )
    }).pipe(unwrapped)

export const contextOf = (
  question: Question,
  passages: ReadonlyArray<Passage>,
  { documentPrompt, tokenMax }: Combining
): Effect.Effect<string, RunFailed> =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    let tokens = 0
    for (const passage of passages) {
      const text = written(passage, documentPrompt, question)
      const whole = typeof text === "string" ? text : yield* text
      tokens += roughTokens(whole)
      // The first stays, however long: without any passage there is nothing to answer from.
      if (tokenMax !== null && texts.length > 0 && tokens > tokenMax) break
      texts.push(whole)
    }
    return texts.join("\n\n")
  })

const messagesOf = (
  question: Question,
  context: string,
  { prompt, summing }: Combining
): Effect.Effect<ReadonlyArray<ModelMessage>, RunFailed> => {
  if (prompt !== null) {
    return Effect.map(fillContext(prompt, question, context), (content) => [{ role: "user", content }])
  }
  if (summing) return Effect.succeed([{ role: "user", content: summary(context) }])
  return Effect.succeed([
    { role: "system", content: stuffInstruction(context) },
    { role: "user", content: question.text }
  ])
}

const contextNames = ["context", "summaries", "text", "documents", "context_str"]

/** The passages go into the variable of a usual name, the question into "question" or the only other one. */
export const fillContext = (
  prompt: PromptPart,
  question: Question,
  context: string
): Effect.Effect<string, RunFailed> => {
  const free = prompt.prompt.variables.filter((name) => !prompt.supplied.has(name))
  const forContext = contextNames.find((name) => free.includes(name)) ?? "context"
  const others = free.filter((name) => name !== forContext)
  const [only] = others
  const forQuestion =
    ["question", "query", "input"].find((name) => others.includes(name)) ??
    (others.length === 1 ? only : undefined)
  return filled(prompt, question, (name) => {
    if (name === forContext) return context
    return name === forQuestion ? question.text : undefined
  })
}

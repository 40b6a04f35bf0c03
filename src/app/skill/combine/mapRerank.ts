/** An answer from each passage, with a mark for how well it fits; the best one is the answer. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { unwrapped } from "../../../protocol/eventStream.ts"
import { Deltas, type RunEvent } from "../../../protocol/RunEvent.ts"
import { answered, skillFailed, sum } from "../chain.ts"
import type { CombinePart } from "../Part.ts"
import { askModelQuietly } from "../promptChain.ts"
import { type Combining, concurrentSteps, written } from "./Combining.ts"
import { rankStep } from "./words.ts"

export const mapRerank =
  ({ bench, documentPrompt, model }: Combining): CombinePart["answer"] =>
  (question, passages) =>
    Stream.concat(
      Stream.succeed<RunEvent>({
        _tag: "Step",
        text: `Answering from ${passages.length} passages one by one`
      }),
      Effect.gen(function* () {
        const sink = yield* Deltas
        const answers = yield* Effect.forEach(
          passages,
          (passage) =>
            Effect.gen(function* () {
              const text = written(passage, documentPrompt, question)
              const prompt = rankStep(typeof text === "string" ? text : yield* text, question.text)
              const completion = yield* askModelQuietly(question, prompt, model, bench)
              return { ...ranked(completion.text), usage: completion.usage, passage }
            }),
          { concurrency: concurrentSteps }
        )
        const [first, ...rest] = answers
        if (first === undefined) return yield* skillFailed("nothing was found to answer from")
        const best = rest.reduce((one, other) => (other.score > one.score ? other : one), first)
        sink.text(best.text)
        return Stream.make<[RunEvent, RunEvent]>(
          { _tag: "Step", text: `The best answer has the score ${best.score} of 100` },
          answered(best.text, sum(...answers.map(({ usage }) => usage)), [best.passage])
        )
      }).pipe(unwrapped)
    )

/** An answer without a mark counts as none. */
const ranked = (text: string): { readonly text: string; readonly score: number } => {
  const mark = /\n?\s*\**(?:score|分数|得分|评分)\**\s*[:：]\s*\**(\d{1,3})\**.*$/isu.exec(text)
  if (mark === null) return { text: text.trim(), score: 0 }
  const before = text.slice(0, mark.index).trim()
  return { text: before === "" ? text.trim() : before, score: Math.min(100, Number(mark[1])) }
}

/** Searches, tells as a step what was found, and goes on with it. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { unwrapped } from "../../protocol/eventStream.ts"
import type { Passage, RunEvent } from "../../protocol/RunEvent.ts"
import type { Answering, Question } from "../App.ts"
import type { RetrieverPart } from "./Part.ts"

export const retrieve = (
  retriever: RetrieverPart,
  question: Question,
  next: (passages: ReadonlyArray<Passage>) => Answering
): Answering =>
  unwrapped(
    Effect.map(retriever.search(question.text, question.userId), (passages) =>
      Stream.concat(Stream.succeed<RunEvent>({ _tag: "Step", text: foundIn(passages) }), next(passages))
    )
  )

const maxNames = 5

/** `Found 4 passages in guide.pdf, notes.md` */
export const foundIn = (passages: ReadonlyArray<Passage>): string => {
  if (passages.length === 0) return "Found no passage"
  const names = [...new Set(passages.map(({ fileName, url }) => fileName || (url ?? "")))].filter(
    (name) => name !== ""
  )
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : ""
  const where = names.length === 0 ? "" : ` in ${names.slice(0, maxNames).join(", ")}${more}`
  return `Found ${passages.length} ${passages.length === 1 ? "passage" : "passages"}${where}`
}

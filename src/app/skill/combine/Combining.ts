/** What the ways of answering from passages share. */
import type * as Effect from "effect/Effect"
import type { RunFailed } from "../../../protocol/errors.ts"
import type { Passage } from "../../../protocol/RunEvent.ts"
import type { Question } from "../../App.ts"
import type { Workbench } from "../NodeType.ts"
import type { ModelPart, PromptPart } from "../Part.ts"
import { filled } from "../promptChain.ts"

export interface Combining {
  readonly bench: Workbench
  readonly model: ModelPart
  /** The graph's own; it is used by `stuff` and by the last step of `map_reduce`. null: the usual one. */
  readonly prompt: PromptPart | null
  /** How one passage stands in a prompt; null: as its text. */
  readonly documentPrompt: PromptPart | null
  /** Passages beyond so many tokens are left out; null: all are used. Only `stuff` heeds it. */
  readonly tokenMax: number | null
  /** Summing documents up, not answering a question from them. */
  readonly summing: boolean
}

/** Steps before the last that ask the model at the same time. */
export const concurrentSteps = 4

/** One passage as the graph's document prompt has it. */
export const written = (
  passage: Passage,
  documentPrompt: PromptPart | null,
  question: Question
): Effect.Effect<string, RunFailed> | string => {
  if (documentPrompt === null) return passage.text
  return filled(documentPrompt, question, (name) => fieldOf(passage, name))
}

/** What document prompts call a passage's properties. */
const fieldOf = (passage: Passage, name: string): string | undefined => {
  switch (name) {
    case "page_content":
      return passage.text
    case "source":
    case "file_name":
    case "title":
      return passage.fileName
    case "page":
      return passage.page === null ? "" : String(passage.page)
    case "url":
      return passage.url ?? ""
    default:
      return undefined
  }
}

/** About as many tokens as models count: a Chinese character is one, four other characters are one. */
export const roughTokens = (text: string): number => {
  const wide = text.match(/[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]/g)?.length ?? 0
  return wide + Math.ceil((text.length - wide) / 4)
}

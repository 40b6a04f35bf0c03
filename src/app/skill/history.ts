/** The conversation so far, as memories give it to prompts. */
import type { ModelMessage } from "../../model/LanguageModel.ts"
import type { MemoryPart } from "./Part.ts"

/** The last rounds; a round begins with a message of the user. null: all. */
export const lastRounds = (
  history: ReadonlyArray<ModelMessage>,
  rounds: number | null
): ReadonlyArray<ModelMessage> => {
  if (rounds === null) return history
  const begins = history.flatMap((message, at) => (message.role === "user" ? [at] : []))
  const first = rounds <= 0 ? history.length : (begins[begins.length - rounds] ?? 0)
  return history.slice(first)
}

/** What was said, by whom; tools and their output left out. */
export const transcript = (
  history: ReadonlyArray<ModelMessage>,
  { aiPrefix, humanPrefix }: Pick<MemoryPart, "aiPrefix" | "humanPrefix">
): string =>
  history
    .flatMap((message) => {
      if (message.role === "user") return [`${humanPrefix}: ${message.content}`]
      if (message.role === "assistant" && message.content !== "") return [`${aiPrefix}: ${message.content}`]
      return []
    })
    .join("\n")

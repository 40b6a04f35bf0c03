/** The action `default`: the app answers the question, with the conversation so far in mind. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Action } from "./Actions.ts"

export const answerQuestion: Action = {
  question: (inputs, app) => questionText(inputs, app.inputKey),
  run: ({ app, text, inputs, userId, journal }) =>
    Stream.unwrap(Effect.map(journal.memory, (history) => app.answer({ text, inputs, userId, history })))
}

/** The question among the inputs: under the app's own key, or the only other text there is. */
const questionText = (inputs: Readonly<Record<string, unknown>>, inputKey: string): string | null => {
  const own = Object.hasOwn(inputs, inputKey) ? inputs[inputKey] : undefined
  if (own !== undefined) return typeof own === "string" && own.trim() !== "" ? own : null
  const others = Object.entries(inputs).filter(
    (entry): entry is [string, string] => entry[0] !== "id" && typeof entry[1] === "string"
  )
  const only = others.length === 1 ? others[0] : undefined
  return only !== undefined && only[1].trim() !== "" ? only[1] : null
}

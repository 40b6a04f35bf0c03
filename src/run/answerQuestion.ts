/** The action `default`: the app answers the question, with the conversation so far in mind. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { App } from "../app/App.ts"
import { unwrapped } from "../protocol/eventStream.ts"
import type { Action } from "./Actions.ts"
import { filledApp, fillingsOf, formInputs } from "./formInputs.ts"
import type { Journal } from "./Journal.ts"

export const answerQuestion: Action = {
  question: (inputs, app) => questionText(inputs, app.inputKey),
  beginsWith: "app",
  run: ({ app, text, inputs, userId, journal, memory }) => {
    const filled = app.form === undefined ? Effect.succeed(app) : asFilled(app, journal)
    return unwrapped(
      Effect.flatMap(filled, (app) =>
        Effect.map(memory, (history) => app.answer({ text, inputs, userId, history }))
      )
    )
  }
}

/** The app with the files and values that this chat has given it. */
const asFilled = (app: App, { filling }: Journal) =>
  Effect.gen(function* () {
    const given = Option.flatMap(yield* filling, formInputs)
    if (Option.isNone(given)) return app
    return yield* filledApp(app, yield* fillingsOf(app, given.value))
  })

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

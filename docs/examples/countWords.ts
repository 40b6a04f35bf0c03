/** An action of your own: `{action: "count_words", inputs: {text}}` counts instead of answering. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { noUsage, type RunEvent } from "../../src/protocol/RunEvent.ts"
import { type Action, Actions } from "../../src/run/Actions.ts"

const countWords: Action = {
  question: (inputs) => (typeof inputs["text"] === "string" ? inputs["text"] : null),
  run: ({ text }) => {
    const count = text.split(/\s+/).filter((word) => word !== "").length
    const events: ReadonlyArray<RunEvent> = [
      { _tag: "Step", text: "counting" },
      { _tag: "Answered", text: `${count} words`, source: 0, passages: [], usage: noUsage }
    ]
    return Stream.fromIterable(events).pipe(Stream.tap(() => Effect.yieldNow()))
  }
}

/** In place of `Actions.Live`. */
export const withCountWords = Layer.succeed(Actions, { ...Actions.table, count_words: countWords })

/** The action `workflow` (`init_data` on the wire): a workflow starts without a question, and asks by itself. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { RunFailed } from "../protocol/errors.ts"
import { unwrapped } from "../protocol/eventStream.ts"
import type { Action } from "./Actions.ts"

export const startWorkflow: Action = {
  silent: true,
  question: () => "",
  run: ({ app, inputs, userId, memory }) =>
    app.kind === "workflow"
      ? unwrapped(Effect.map(memory, (history) => app.answer({ text: "", inputs, userId, history })))
      : Stream.fail(
          new RunFailed({ reason: "this app is no workflow; ask it a question instead", kind: app.kind })
        )
}

/** One turn of the configured model inside a run: what streams goes to the run's sink, failures become the run's. */
import * as Effect from "effect/Effect"
import type { Completion, LanguageModelService, ModelRequest } from "../model/LanguageModel.ts"
import { RunFailed } from "../protocol/errors.ts"
import { Deltas, silent } from "../protocol/RunEvent.ts"
import type { AppKind } from "./App.ts"

export const ask: (
  model: LanguageModelService,
  kind: AppKind,
  request: ModelRequest
) => Effect.Effect<Completion, RunFailed, Deltas> = Effect.fnUntraced(function* (model, kind, request) {
  const sink = yield* Deltas
  const isWhole = request.streaming === false
  const completion = yield* Effect.mapError(
    model.generate(request, isWhole ? silent : sink),
    (error) => new RunFailed({ reason: error.reason, kind })
  )
  if (completion.text === "" && completion.toolCalls.length === 0) {
    return yield* new RunFailed({ reason: "the model gave no answer", kind })
  }
  if (isWhole) {
    if (completion.reasoning !== "") sink.reasoning(completion.reasoning)
    if (completion.text !== "") sink.text(completion.text)
  }
  return completion
})

/** The same for a step whose text nobody is to see. */
export const askQuietly = (
  model: LanguageModelService,
  kind: AppKind,
  request: ModelRequest
): Effect.Effect<Completion, RunFailed> =>
  ask(model, kind, { ...request, streaming: false }).pipe(Effect.provideService(Deltas, silent))

/**
 * One answer of the model for a node: streamed to the person under the node's name and output key where the
 * node shows what it makes, silent otherwise.
 */
import * as Effect from "effect/Effect"
import type { RunFailed } from "../../protocol/errors.ts"
import { Deltas, type Passage, type RunSink, silent, type Usage } from "../../protocol/RunEvent.ts"
import type { NodeContext } from "./NodeType.ts"

export interface Spoken {
  readonly text: string
  readonly reasoning: string
  readonly usage: Usage
  readonly passages: ReadonlyArray<Passage>
}

export const speak = (
  context: NodeContext,
  outputKey: string,
  shows: boolean,
  answer: Effect.Effect<Spoken, RunFailed, Deltas>
): Effect.Effect<Spoken, RunFailed, Deltas> =>
  Effect.gen(function* () {
    const sink = shows ? yield* nodeSink(context, outputKey) : silent
    const spoken = yield* Effect.provideService(answer, Deltas, sink)
    if (shows) {
      yield* context.tell({
        _tag: "NodeStreamed",
        run: context.run,
        outputKey,
        ...spoken,
        source: spoken.passages.length > 0 ? 1 : 0
      })
    }
    return spoken
  })

const nodeSink = (context: NodeContext, outputKey: string): Effect.Effect<RunSink, never, Deltas> =>
  Effect.map(Deltas, (sink) => ({ ...sink.node(context.run, outputKey), node: sink.node }))

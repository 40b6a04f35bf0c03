/** A language model that says what a test tells it to, and remembers what it was asked. */
import * as Effect from "effect/Effect"
import type {
  Completion,
  LanguageModelService,
  ModelError,
  ModelRequest,
  TokenSink,
  ToolCall
} from "../../src/model/LanguageModel.ts"
import { Deltas } from "../../src/protocol/RunEvent.ts"

export type Turn = (request: ModelRequest, sink: TokenSink) => Effect.Effect<Completion, ModelError>

const completion = (text: string, toolCalls: ReadonlyArray<ToolCall>): Completion => ({
  text,
  reasoning: "",
  toolCalls,
  usage: { promptTokens: 10, completionTokens: 3 },
  finishReason: toolCalls.length > 0 ? "tool_calls" : "stop"
})

/** Streams the text word by word and ends. */
export const says =
  (text: string): Turn =>
  (_request, sink) =>
    Effect.sync(() => {
      for (const word of text.split(/(?<= )/)) if (word !== "") sink.text(word)
      return completion(text, [])
    })

/** Asks for tools: name and arguments of each. */
export const asksFor =
  (...calls: ReadonlyArray<readonly [name: string, args: unknown]>): Turn =>
  () =>
    Effect.succeed(
      completion(
        "",
        calls.map(([name, args], index) => ({
          id: `call-${index + 1}`,
          name,
          arguments: typeof args === "string" ? args : JSON.stringify(args)
        }))
      )
    )

export interface ScriptedModel {
  readonly service: LanguageModelService
  /** Every request so far. */
  readonly requests: ReadonlyArray<ModelRequest>
}

/** Takes the turns one after the other; the last one is repeated. */
export const scriptedModel = (...turns: ReadonlyArray<Turn>): ScriptedModel => {
  const requests: Array<ModelRequest> = []
  return {
    requests,
    service: {
      label: "scripted",
      generate: (request, sink) =>
        Effect.suspend(() => {
          requests.push(request)
          const turn = turns[Math.min(requests.length, turns.length) - 1]
          return turn === undefined ? Effect.dieMessage("a scripted model needs a turn") : turn(request, sink)
        })
    }
  }
}

/** Collects, in one list, what the sink gets and what is pushed to it. */
export const makeTranscript = () => {
  const lines: Array<string> = []
  const told = (head: string) => ({
    text: (delta: string) => void lines.push(`${head}text ${delta}`),
    reasoning: (delta: string) => void lines.push(`${head}reasoning ${delta}`)
  })
  return {
    lines,
    sink: Deltas.of({ ...told(""), node: (run) => told(`${run.nodeId} `) })
  }
}

/**
 * A language model that answers one turn: messages in, text and tool calls out.
 *
 * Promises, for every layer:
 * - Text and reasoning go to the sink as they come, in order; the completion repeats the whole.
 * - Interrupting `generate` ends the work upstream at once (the request's socket closes).
 * - A failed request is tried again only while nothing has been streamed.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON text, as the model wrote it. */
  readonly arguments: string
}

export type ModelMessage =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly toolCalls: ReadonlyArray<ToolCall> }
  | { readonly role: "tool"; readonly content: string; readonly toolCallId: string }

export interface ToolSpec {
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface ModelRequest {
  /** null: the configured default. */
  readonly model: string | null
  readonly temperature: number | null
  /** Absent or null: the server's default. */
  readonly topP?: number | null
  /** false: nobody watches it grow, so it need not be paced. Absent: somebody does. */
  readonly streaming?: boolean
  readonly messages: ReadonlyArray<ModelMessage>
  readonly tools: ReadonlyArray<ToolSpec>
  /** Whose documents the built-in offline model may read; other models ignore it. */
  readonly scope: { readonly flowId: string; readonly userId: number }
}

export interface Completion {
  readonly text: string
  readonly reasoning: string
  readonly toolCalls: ReadonlyArray<ToolCall>
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number }
  readonly finishReason: string
}

export interface TokenSink {
  readonly text: (delta: string) => void
  readonly reasoning: (delta: string) => void
}

/** `reason` is for the user: what failed and what to do, no key, no stack. */
export class ModelError extends Data.TaggedError("ModelError")<{
  readonly kind: "unreachable" | "refused" | "rate_limited" | "timeout" | "cut" | "malformed"
  readonly reason: string
  readonly cause?: unknown
}> {}

export interface LanguageModelService {
  /** What answers, in words for the start-up screen: "gpt-4o at http://…" or "built-in offline model". */
  readonly label: string
  readonly generate: (request: ModelRequest, sink: TokenSink) => Effect.Effect<Completion, ModelError>
}

export class LanguageModel extends Context.Tag("colloquy/LanguageModel")<
  LanguageModel,
  LanguageModelService
>() {}

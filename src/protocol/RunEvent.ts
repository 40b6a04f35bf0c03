/**
 * What happens in a run, in the domain's own words. Handlers and apps yield these; they never see a
 * frame, a table or a socket. The recorder stores what must be stored and projects each event to frames.
 *
 * Text that streams token by token may go through the {@link DeltaSink} instead, which is the same
 * thing without a Stream element per token (see docs/architecture.md, "The hot path").
 */
import * as Context from "effect/Context"
import type { ToolCategory } from "./frames.ts"

export type RunEvent = TextDelta | ReasoningDelta | Step | ToolStarted | ToolEnded | Answered

/** A piece of the answer's text. */
export interface TextDelta {
  readonly _tag: "TextDelta"
  readonly text: string
}

/** A piece of the model's reasoning. */
export interface ReasoningDelta {
  readonly _tag: "ReasoningDelta"
  readonly text: string
}

/** One line of what is going on ("searching 3 documents"), shown among the intermediate steps. */
export interface Step {
  readonly _tag: "Step"
  readonly text: string
}

export interface ToolStarted {
  readonly _tag: "ToolStarted"
  /** Unique within the session; joins start and end. */
  readonly id: string
  readonly category: ToolCategory
  readonly name: string
  /** The arguments as the model wrote them (JSON text). */
  readonly input: string
  /** The model's own id for the call, and which of its turns asked for it: kept for replay. */
  readonly callId: string
  readonly turn: number
}

export interface ToolEnded {
  readonly _tag: "ToolEnded"
  readonly id: string
  readonly output: string
  readonly failed: boolean
}

/** The run's answer. `text` is the whole text, and replaces what was streamed. */
export interface Answered {
  readonly _tag: "Answered"
  readonly text: string
  /** Where the answer comes from, as `Frame.source`. */
  readonly source: number
  readonly passages: ReadonlyArray<Passage>
  readonly usage: Usage
}

/** A retrieved piece of a document, kept under the answer for source tracing. */
export interface Passage {
  readonly text: string
  readonly fileId: string
  readonly fileName: string
  readonly page: number | null
  readonly score: number
}

/** Tokens as the model's server counted them; zero where it did not say. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
}

export const noUsage: Usage = { promptTokens: 0, completionTokens: 0 }

/**
 * Where streaming text goes: synchronous and cheap, so that a token costs no fiber and no Stream element.
 * Order against yielded events holds as long as the stream between is not buffered.
 */
export interface DeltaSink {
  readonly text: (delta: string) => void
  readonly reasoning: (delta: string) => void
}

/** The sink of the running run; the recorder provides it. */
export class Deltas extends Context.Tag("colloquy/Deltas")<Deltas, DeltaSink>() {}

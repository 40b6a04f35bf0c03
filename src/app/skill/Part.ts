/** What a node builds, for the nodes that it is connected to. A new kind of part is one entry here. */
import type * as Stream from "effect/Stream"
import type { RunFailed } from "../../protocol/errors.ts"
import type { Deltas, RunEvent } from "../../protocol/RunEvent.ts"
import type { Question } from "../App.ts"
import type { Prompt } from "./prompt.ts"

export type Part = ModelPart | PromptPart | MemoryPart | ChainPart

/** Which model to ask, and how. null: the configured default. */
export interface ModelPart {
  readonly _tag: "Model"
  readonly name: string | null
  readonly temperature: number | null
}

export interface PromptPart {
  readonly _tag: "Prompt"
  readonly prompt: Prompt
  /** Values of variables that a question need not bring. */
  readonly defaults: ReadonlyMap<string, string>
}

/** The conversation so far, as a prompt's variable. */
export interface MemoryPart {
  readonly _tag: "Memory"
  readonly key: string
  /** Which of several variables is the question; "" where there is one only. */
  readonly inputKey: string
  readonly humanPrefix: string
  readonly aiPrefix: string
}

/** Something that answers a question. */
export interface ChainPart {
  readonly _tag: "Chain"
  readonly inputKey: string
  readonly answer: (question: Question) => Stream.Stream<RunEvent, RunFailed, Deltas>
}

export const isPart =
  <Tag extends Part["_tag"]>(tag: Tag) =>
  (part: Part): part is Extract<Part, { readonly _tag: Tag }> =>
    part._tag === tag

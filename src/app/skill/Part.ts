/** What a node builds, for the nodes that it is connected to. A new kind of part is one entry here. */
import type * as Effect from "effect/Effect"
import type { Doc } from "../../knowledge/Documents.ts"
import type { RunFailed } from "../../protocol/errors.ts"
import type { Passage } from "../../protocol/RunEvent.ts"
import type { Answering, Question, ReportSection, Resumption } from "../App.ts"
import type { Tool } from "../Tool.ts"
import type { Prompt } from "./prompt.ts"

export type Part =
  | ModelPart
  | PromptPart
  | MemoryPart
  | ChainPart
  | FilePart
  | VariablePart
  | InputPart
  | DocumentsPart
  | EmbeddingsPart
  | RetrieverPart
  | CombinePart
  | ToolPart
  | ParticipantPart
  | ReportPart

/** Which model to ask, and how. null: the configured default. */
export interface ModelPart {
  readonly _tag: "Model"
  readonly name: string | null
  readonly temperature: number | null
  readonly topP: number | null
  /** false: the answer comes whole. */
  readonly streaming: boolean
}

export interface PromptPart {
  readonly _tag: "Prompt"
  readonly prompt: Prompt
  /** Values of variables that a question need not bring. */
  readonly defaults: ReadonlyMap<string, string>
  /** Variables that connected nodes fill, as the question is asked: documents, variables. */
  readonly supplied: ReadonlyMap<string, Effect.Effect<string, RunFailed>>
}

/** The conversation so far, as a prompt's variable. */
export interface MemoryPart {
  readonly _tag: "Memory"
  readonly key: string
  /** Which of several variables is the question; "" where there is one only. */
  readonly inputKey: string
  readonly humanPrefix: string
  readonly aiPrefix: string
  /** How many of the last rounds; null: all that are given. */
  readonly rounds: number | null
}

/** Something that answers a question. */
export interface ChainPart {
  readonly _tag: "Chain"
  readonly nodeId: string
  readonly inputKey: string
  readonly outputKey: string
  /** false: nothing in it takes a question. */
  readonly takesQuestion: boolean
  /** The preset questions of the input node that is connected to it. */
  readonly preset: ReadonlyArray<string>
  readonly answer: (question: Question) => Answering
  /** The variables of its prompt, for the editor: what the memory fills, and what connected nodes fill. */
  readonly keys?: { readonly memory: ReadonlyArray<string>; readonly handles: ReadonlyArray<string> }
  /** Of a group chat: how it goes on after it waited. */
  readonly resume?: Resumption
}

/** An uploaded file. null: none was given yet. */
export interface FilePart {
  readonly _tag: "File"
  readonly fileId: string | null
}

/** Values by name, filled in before the question. */
export interface VariablePart {
  readonly _tag: "Variable"
  readonly nodeId: string
  readonly values: Readonly<Record<string, string>>
}

/** Preset questions. */
export interface InputPart {
  readonly _tag: "Input"
  readonly questions: ReadonlyArray<string>
}

/** Documents, loaded when they are first needed and then kept with the app. */
export interface DocumentsPart {
  readonly _tag: "Documents"
  readonly load: Effect.Effect<ReadonlyArray<Doc>, RunFailed>
}

/** Marks that vectors are wanted; which model makes them is configured. */
export interface EmbeddingsPart {
  readonly _tag: "Embeddings"
}

export interface RetrieverPart {
  readonly _tag: "Retriever"
  /** Best first. */
  readonly search: (query: string, userId: number) => Effect.Effect<ReadonlyArray<Passage>, RunFailed>
}

/** Answers a question from passages. */
export interface CombinePart {
  readonly _tag: "Combine"
  readonly answer: (question: Question, passages: ReadonlyArray<Passage>) => Answering
}

export interface ToolPart {
  readonly _tag: "Tool"
  readonly tools: ReadonlyArray<Tool>
}

/** Someone who takes part in a group chat. */
export interface ParticipantPart {
  readonly _tag: "Participant"
  readonly name: string
  readonly instruction: string
  /** null: a person, or somebody for whom a chain speaks. */
  readonly model: ModelPart | null
  /** What speaks in place of a model. */
  readonly chain?: ChainPart
  /**
   * Of a person. "always": whoever leads the chat may give them the word. "terminate": they are asked when a
   * round is over. "never": they only begin it.
   */
  readonly asked?: "always" | "terminate" | "never"
  readonly tools: ReadonlyArray<Tool>
  /** Of a group's manager: who talks in it, and how long. */
  readonly group: { readonly participants: ReadonlyArray<ParticipantPart>; readonly maxRounds: number } | null
}

/** The end of a graph that makes a document. */
export interface ReportPart {
  readonly _tag: "Report"
  readonly name: string
  readonly sections: ReadonlyArray<ReportSection>
  readonly variables: Readonly<Record<string, string>>
}

export const isPart =
  <Tag extends Part["_tag"]>(tag: Tag) =>
  (part: Part): part is Extract<Part, { readonly _tag: Tag }> =>
    part._tag === tag

/**
 * An app that can answer: a skill, an assistant or a workflow, built and ready. Adding a kind of app is
 * adding one file that makes such a value from the app's record.
 */
import type * as Stream from "effect/Stream"
import type { ModelMessage } from "../model/LanguageModel.ts"
import type { RunFailed } from "../protocol/errors.ts"
import type { Deltas, RunEvent } from "../protocol/RunEvent.ts"
import type { FlowType } from "../storage/rows.ts"

export type AppKind = "skill" | "assistant" | "workflow"

export interface Question {
  /** The question's text. */
  readonly text: string
  /** Everything the client sent under `inputs`. */
  readonly inputs: Readonly<Record<string, unknown>>
  readonly userId: number
  /** The last complete rounds of the conversation, oldest first, tool calls included. */
  readonly history: ReadonlyArray<ModelMessage>
}

export interface App {
  readonly flowId: string
  readonly flowType: FlowType
  readonly kind: AppKind
  readonly name: string
  /** What happens to a run when its last socket is gone. */
  readonly onDisconnect: "continue" | "cancel"
  /** The key of `inputs` that carries the question; other string values are accepted when it is absent. */
  readonly inputKey: string
  /** One run. Interrupting it ends the model's work at once. */
  readonly answer: (question: Question) => Stream.Stream<RunEvent, RunFailed, Deltas>
}

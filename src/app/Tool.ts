/** Something an assistant's model may call. One tool is one file in `tools/` and one entry in their table. */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { ToolSpec } from "../model/LanguageModel.ts"
import type { ToolCategory } from "../protocol/frames.ts"
import type { Passage } from "../protocol/RunEvent.ts"

/** The tool could not do it; the model reads `reason` as the tool's output. */
export class ToolFailed extends Data.TaggedError("ToolFailed")<{ readonly reason: string }> {}

export interface ToolResult {
  readonly output: string
  /** What was retrieved, for source tracing. */
  readonly passages: ReadonlyArray<Passage>
}

export interface Tool {
  readonly spec: ToolSpec
  readonly category: ToolCategory
  /** `input` is the parsed JSON the model wrote, not yet trusted. */
  readonly run: (
    input: unknown,
    scope: { readonly flowId: string; readonly userId: number }
  ) => Effect.Effect<ToolResult, ToolFailed>
}

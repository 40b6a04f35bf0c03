/** Makes a {@link Tool} from one Schema: the model is shown it as JSON Schema, and its arguments are decoded by it. */
import * as Effect from "effect/Effect"
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import type { ToolCategory } from "../../protocol/frames.ts"
import { firstIssue } from "../firstIssue.ts"
import { type Tool, ToolFailed, type ToolResult } from "../Tool.ts"

export interface ToolDefinition<A, I> {
  readonly name: string
  readonly description: string
  readonly category: ToolCategory
  readonly arguments: Schema.Schema<A, I>
  readonly run: (
    input: A,
    scope: { readonly flowId: string; readonly userId: number }
  ) => Effect.Effect<ToolResult, ToolFailed>
}

export const defineTool = <A, I>(definition: ToolDefinition<A, I>): Tool => {
  const decode = Schema.decodeUnknown(definition.arguments)
  const { $schema: _, ...parameters } = JSONSchema.make(definition.arguments)
  return {
    spec: { name: definition.name, description: definition.description, parameters },
    category: definition.category,
    run: (input, scope) =>
      decode(input).pipe(
        Effect.mapError((error) => new ToolFailed({ reason: `wrong arguments: ${firstIssue(error)}` })),
        Effect.flatMap((decoded) => definition.run(decoded, scope))
      )
  }
}

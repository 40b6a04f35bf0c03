/**
 * The role that runs the code which others write. This server runs no code, so it is refused, unless a model is
 * meant to speak for it: then it is an assistant like any other.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fault, type GraphNode, named } from "../Graph.ts"
import { defineNode, wired } from "../NodeType.ts"
import { roleFields, roleName } from "./autoGenRole.ts"

export const noCode =
  "it runs the code that others write, and this server runs none; put an AutoGenAssistant in its place"

/** Only a role with a field for a model can have one connected. */
const lacks = (node: GraphNode): string | null => (Object.hasOwn(node.template, "llm") ? null : noCode)

export const autoGenCoder = defineNode({
  types: ["AutoGenCoder"],
  lacks,
  fields: Schema.Struct(roleFields),
  build: (fields, node) =>
    Effect.gen(function* () {
      const model = yield* wired(node, "llm", "Model")
      if (model === null) return yield* fault(`node ${named(node)}: ${noCode}`, node)
      return {
        _tag: "Participant",
        name: yield* roleName(fields, node),
        instruction: fields.system_message?.trim() ?? "",
        model,
        tools: [],
        group: null
      }
    })
})

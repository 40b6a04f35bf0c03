/** A model that takes part in a group chat, with tools where they are connected. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineNode, wiredAll } from "../NodeType.ts"
import { roleFields, roleModel, roleName } from "./autoGenRole.ts"

const usualInstruction =
  'You are a helpful AI assistant. Reply "TERMINATE" in the end when everything is done.'

export const autoGenAssistant = defineNode({
  types: ["AutoGenAssistant"],
  fields: Schema.Struct(roleFields),
  build: (fields, node) =>
    Effect.gen(function* () {
      const tools = yield* wiredAll(node, "tools", "Tool")
      return {
        _tag: "Participant",
        name: yield* roleName(fields, node),
        instruction: fields.system_message?.trim() || usualInstruction,
        model: yield* roleModel(fields, node),
        tools: tools.flatMap((part) => part.tools),
        group: null
      }
    })
})

/** A chain that takes part in a group chat: it answers what was said last. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fault, named } from "../Graph.ts"
import { defineNode, needed } from "../NodeType.ts"
import { roleFields, roleName } from "./autoGenRole.ts"

export const autoGenCustomRole = defineNode({
  types: ["AutoGenCustomRole"],
  fields: Schema.Struct({ name: roleFields.name, system_message: roleFields.system_message }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const chain = yield* needed(node, "func", "Chain")
      if (chain.resume !== undefined) {
        return yield* fault(`node ${named(node)}: a group chat cannot take part in another`, node)
      }
      return {
        _tag: "Participant",
        name: yield* roleName(fields, node),
        instruction: fields.system_message?.trim() ?? "",
        model: null,
        chain,
        tools: [],
        group: null
      }
    })
})

/** The person at the client, as one of a group chat. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { firstText, LooseBoolean, LooseText } from "../fields.ts"
import { fault, type GraphNode, named } from "../Graph.ts"
import { defineNode, fieldValues, Optional } from "../NodeType.ts"
import type { ParticipantPart } from "../Part.ts"
import { noCode } from "./autoGenCoder.ts"
import { roleFields, roleName } from "./autoGenRole.ts"

const modes: Readonly<Record<string, ParticipantPart["asked"]>> = {
  "": "always",
  always: "always",
  terminate: "terminate",
  never: "never"
}

/** `AutoGenUserProxyAgent`, of older graphs, runs code unless it is told not to. */
const lacks = (node: GraphNode): string | null => {
  if (node.type !== "AutoGenUserProxyAgent") return null
  const runs = fieldValues(node)["code_execution_flag"]
  return runs === true || runs === "true" || runs === "True" ? noCode : null
}

export const autoGenUser = defineNode({
  types: ["AutoGenUser", "AutoGenUserProxyAgent"],
  lacks,
  fields: Schema.Struct({
    ...roleFields,
    human_input_mode: Optional(LooseText),
    code_execution_flag: Optional(LooseBoolean)
  }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const lacking = lacks(node)
      if (lacking !== null) return yield* fault(`node ${named(node)}: ${lacking}`, node)
      const mode = firstText(fields.human_input_mode)
      const asked = modes[mode.toLowerCase()]
      if (asked === undefined) {
        return yield* fault(
          `node ${named(node)}: "human_input_mode" is ALWAYS, TERMINATE or NEVER, not "${mode.slice(0, 40)}"`,
          node
        )
      }
      return {
        _tag: "Participant",
        name: yield* roleName(fields, node),
        instruction: fields.system_message?.trim() ?? "",
        model: null,
        asked,
        tools: [],
        group: null
      }
    })
})

/** Leads a group chat: its model says who has the word. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { longestRound, maxParticipants } from "../../group/Cast.ts"
import { LooseNumber, numberOr } from "../fields.ts"
import { fault, named } from "../Graph.ts"
import { defineNode, Optional, wiredAll } from "../NodeType.ts"
import { roleFields, roleModel, roleName } from "./autoGenRole.ts"

export const autoGenGroupChatManager = defineNode({
  types: ["AutoGenGroupChatManager"],
  fields: Schema.Struct({ ...roleFields, max_round: Optional(LooseNumber) }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const participants = yield* wiredAll(node, "agents", "Participant")
      if (participants.length === 0) {
        return yield* fault(`node ${named(node)} needs participants connected to "agents"`, node)
      }
      if (participants.length > maxParticipants) {
        return yield* fault(
          `node ${named(node)}: ${participants.length} take part; a chat has at most ${maxParticipants} participants`,
          node
        )
      }
      if (participants.some(({ group }) => group !== null)) {
        return yield* fault(`node ${named(node)}: a group chat cannot take part in another`, node)
      }
      const maxRounds = numberOr(fields.max_round, longestRound)
      if (!Number.isInteger(maxRounds) || maxRounds < 1) {
        return yield* fault(`node ${named(node)}: "max_round" must be a whole number from 1`, node)
      }
      return {
        _tag: "Participant",
        name: yield* roleName(fields, node, "chat_manager"),
        instruction: fields.system_message?.trim() ?? "",
        model: yield* roleModel(fields, node),
        tools: [],
        group: { participants, maxRounds: Math.min(maxRounds, longestRound) }
      }
    })
})

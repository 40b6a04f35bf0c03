/** The end of a group chat's graph: who asks, and who or which group answers. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Cast, isPerson, longestRound } from "../../group/Cast.ts"
import { makeGroupChat } from "../../group/GroupChat.ts"
import { makeChain } from "../chain.ts"
import { fault, type GraphFault, named } from "../Graph.ts"
import { defineNode, needed, type WiredNode } from "../NodeType.ts"
import type { ParticipantPart } from "../Part.ts"

export const autoGenChain = defineNode({
  types: ["AutoGenChain"],
  fields: Schema.Struct({}),
  build: (_fields, node, bench) =>
    Effect.gen(function* () {
      const opener = yield* needed(node, "user_proxy_agent", "Participant")
      const recipient = yield* needed(node, "recipient", "Participant")
      const cast = yield* castOf(node, opener, recipient)
      return yield* makeChain(node, {
        inputKey: "chat_topic",
        outputKey: "chat_content",
        ...makeGroupChat({ cast, model: bench.model, flowId: bench.flowId })
      })
    })
})

const castOf = (
  node: WiredNode,
  opener: ParticipantPart,
  recipient: ParticipantPart
): Effect.Effect<Cast, GraphFault> => {
  const wrong = (what: string) => Effect.fail(fault(`node ${named(node)}: ${what}`, node))
  if (!isPerson(opener)) return wrong(`"user_proxy_agent" takes a person, an AutoGenUser`)
  if (opener === recipient)
    return wrong('nobody can talk to themselves; connect somebody else to "recipient"')
  const group = recipient.group?.participants ?? [recipient]
  const participants = group.includes(opener) ? group : [opener, ...group]
  const names = participants.map(({ name }) => name.toLowerCase())
  const twice = participants.find(({ name }, at) => names.indexOf(name.toLowerCase()) !== at)
  if (twice !== undefined) return wrong(`two in this chat are called "${twice.name}"`)
  if (participants.every(isPerson)) return wrong("only people take part; connect somebody who answers them")
  return Effect.succeed({
    opener,
    participants,
    manager: recipient.group === null ? null : recipient,
    // The question is a round of its own; whoever is asked has at least one.
    maxRounds: Math.max(recipient.group?.maxRounds ?? longestRound, 2)
  })
}

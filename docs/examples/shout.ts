/** A type of node of your own: it takes a chain, and says its answer louder. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Question } from "../../src/app/App.ts"
import { defineNode, needed, Optional } from "../../src/app/skill/NodeType.ts"
import { NodeTypes, nodeTypes } from "../../src/app/skill/nodeTypes.ts"
import type { RunEvent } from "../../src/protocol/RunEvent.ts"

export const shout = defineNode({
  types: ["Shout"],
  /** What the editor's fields may hold; anything else is told as a fault that names the node. */
  fields: Schema.Struct({ mark: Optional(Schema.String) }),
  build: ({ mark }, node) =>
    Effect.map(needed(node, "chain", "Chain"), (chain) => ({
      ...chain,
      nodeId: node.id,
      answer: (question: Question) =>
        Stream.map(
          chain.answer(question),
          (event): RunEvent =>
            event._tag === "Answered"
              ? { ...event, text: `${event.text.toUpperCase()}${mark ?? "!"}` }
              : event
        )
    }))
})

/** Beside the built-in types: give it to the layer that makes the builder. */
export const withShout = Layer.succeed(NodeTypes, new Map([...nodeTypes, ["Shout", shout]]))

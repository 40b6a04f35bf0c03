/** The rounds of the conversation so far, as text under a variable of the prompt. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineNode, Optional } from "../NodeType.ts"
import type { MemoryPart } from "../Part.ts"

export const conversationBufferMemory = defineNode({
  types: ["ConversationBufferMemory"],
  fields: Schema.Struct({
    memory_key: Optional(Schema.String),
    input_key: Optional(Schema.String),
    human_prefix: Optional(Schema.String),
    ai_prefix: Optional(Schema.String)
  }),
  build: (fields) =>
    Effect.succeed({
      _tag: "Memory",
      key: fields.memory_key || plainMemory.key,
      inputKey: fields.input_key || plainMemory.inputKey,
      humanPrefix: fields.human_prefix ?? plainMemory.humanPrefix,
      aiPrefix: fields.ai_prefix ?? plainMemory.aiPrefix
    })
})

/** The memory of a conversation chain that has none connected. */
export const plainMemory: MemoryPart = {
  _tag: "Memory",
  key: "history",
  inputKey: "",
  humanPrefix: "Human",
  aiPrefix: "AI"
}

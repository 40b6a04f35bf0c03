/**
 * The rounds of the conversation so far, as text under a variable of the prompt; of a window memory only the
 * last ones.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LooseNumber, numberOr } from "../fields.ts"
import { defineNode, Optional } from "../NodeType.ts"
import type { MemoryPart } from "../Part.ts"

const fields = {
  memory_key: Optional(Schema.String),
  input_key: Optional(Schema.String),
  human_prefix: Optional(Schema.String),
  ai_prefix: Optional(Schema.String)
}

/** The memory of a conversation chain that has none connected. */
export const plainMemory: MemoryPart = {
  _tag: "Memory",
  key: "history",
  inputKey: "",
  humanPrefix: "Human",
  aiPrefix: "AI",
  rounds: null
}

interface Given {
  readonly memory_key?: string | null | undefined
  readonly input_key?: string | null | undefined
  readonly human_prefix?: string | null | undefined
  readonly ai_prefix?: string | null | undefined
}

const memoryOf = (given: Given, rounds: number | null): MemoryPart => ({
  _tag: "Memory",
  key: given.memory_key || plainMemory.key,
  inputKey: given.input_key || plainMemory.inputKey,
  humanPrefix: given.human_prefix ?? plainMemory.humanPrefix,
  aiPrefix: given.ai_prefix ?? plainMemory.aiPrefix,
  rounds
})

export const conversationBufferMemory = defineNode({
  types: ["ConversationBufferMemory"],
  fields: Schema.Struct(fields),
  build: (given) => Effect.succeed(memoryOf(given, null))
})

/** What the editor puts into a new node. */
const usualRounds = 5

export const conversationBufferWindowMemory = defineNode({
  types: ["ConversationBufferWindowMemory"],
  fields: Schema.Struct({ ...fields, k: Optional(LooseNumber) }),
  build: ({ k, ...given }) =>
    Effect.succeed(memoryOf(given, Math.max(0, Math.floor(numberOr(k, usualRounds)))))
})

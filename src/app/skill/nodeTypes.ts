/** The types of nodes a skill's graph may have. A new one is one file in `nodes/` and one entry here. */
import type { NodeType } from "./NodeType.ts"
import { chatModel } from "./nodes/chatModel.ts"
import { conversationBufferMemory } from "./nodes/conversationBufferMemory.ts"
import { conversationChain } from "./nodes/conversationChain.ts"
import { llmChain } from "./nodes/llmChain.ts"
import { promptTemplate } from "./nodes/promptTemplate.ts"

const table: ReadonlyArray<NodeType> = [
  chatModel,
  promptTemplate,
  conversationBufferMemory,
  llmChain,
  conversationChain
]

export const nodeTypes: ReadonlyMap<string, NodeType> = new Map(
  table.flatMap((nodeType) => nodeType.types.map((type): [string, NodeType] => [type, nodeType]))
)

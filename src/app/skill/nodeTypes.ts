/** The types of nodes a skill's graph may have. A new one is one file in `nodes/` and one entry here. */
import * as Context from "effect/Context"
import type { NodeType } from "./NodeType.ts"
import { agent } from "./nodes/agent.ts"
import { autoGenAssistant } from "./nodes/autoGenAssistant.ts"
import { autoGenChain } from "./nodes/autoGenChain.ts"
import { autoGenCoder } from "./nodes/autoGenCoder.ts"
import { autoGenCustomRole } from "./nodes/autoGenCustomRole.ts"
import { autoGenGroupChatManager } from "./nodes/autoGenGroupChatManager.ts"
import { autoGenUser } from "./nodes/autoGenUser.ts"
import { bingSearchApiWrapper, bingSearchRun } from "./nodes/bingSearch.ts"
import { chatModel } from "./nodes/chatModel.ts"
import { combineDocsChain, summarizeDocsChain } from "./nodes/combineDocsChain.ts"
import { conversationalRetrievalChain } from "./nodes/conversationalRetrievalChain.ts"
import { conversationBufferMemory, conversationBufferWindowMemory } from "./nodes/conversationBufferMemory.ts"
import { conversationChain } from "./nodes/conversationChain.ts"
import { embeddings } from "./nodes/embeddings.ts"
import { inputFileNode } from "./nodes/inputFileNode.ts"
import { inputNode } from "./nodes/inputNode.ts"
import { llmChain } from "./nodes/llmChain.ts"
import { loader } from "./nodes/loader.ts"
import { mixRetriever } from "./nodes/mixRetriever.ts"
import { responseSchema, structuredOutputParser } from "./nodes/outputParser.ts"
import { promptTemplate } from "./nodes/promptTemplate.ts"
import { qaGenerationChain } from "./nodes/qaGenerationChain.ts"
import { report } from "./nodes/report.ts"
import { retrievalChain } from "./nodes/retrievalChain.ts"
import { retrievalQa } from "./nodes/retrievalQa.ts"
import { sequentialChain } from "./nodes/sequentialChain.ts"
import { store } from "./nodes/store.ts"
import { textSplitter } from "./nodes/textSplitter.ts"
import { graphTool, ownTool } from "./nodes/tools.ts"
import { transformChain } from "./nodes/transformChain.ts"
import { variableNode } from "./nodes/variableNode.ts"
import { webLoader } from "./nodes/webLoader.ts"

const table: ReadonlyArray<NodeType> = [
  // Models, prompts, memories
  chatModel,
  promptTemplate,
  responseSchema,
  structuredOutputParser,
  conversationBufferMemory,
  conversationBufferWindowMemory,
  // What is given before the question
  inputNode,
  inputFileNode,
  variableNode,
  // Documents and searching them
  loader,
  webLoader,
  textSplitter,
  embeddings,
  store,
  mixRetriever,
  // Chains
  llmChain,
  conversationChain,
  combineDocsChain,
  summarizeDocsChain,
  retrievalQa,
  conversationalRetrievalChain,
  retrievalChain,
  qaGenerationChain,
  sequentialChain,
  transformChain,
  // Agents and their tools
  agent,
  ownTool,
  graphTool,
  bingSearchApiWrapper,
  bingSearchRun,
  // Group chats
  autoGenAssistant,
  autoGenChain,
  autoGenCoder,
  autoGenCustomRole,
  autoGenGroupChatManager,
  autoGenUser,
  // Documents that are made
  report
]

export type NodeTable = ReadonlyMap<string, NodeType>

export const nodeTypes: NodeTable = new Map(
  table.flatMap((nodeType) => nodeType.types.map((type): [string, NodeType] => [type, nodeType]))
)

/** The table in use. A layer in its place adds types of one's own (docs/extending.md). */
export class NodeTypes extends Context.Reference<NodeTypes>()("colloquy/NodeTypes", {
  defaultValue: () => nodeTypes
}) {}

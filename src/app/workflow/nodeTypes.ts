/** The types of nodes that a workflow may have. A new one is one file in `nodes/` and one entry here. */
import type { NodeType } from "./NodeType.ts"
import { agent } from "./nodes/agent.ts"
import { code } from "./nodes/code.ts"
import { condition } from "./nodes/condition.ts"
import { end } from "./nodes/end.ts"
import { input } from "./nodes/input.ts"
import { llm } from "./nodes/llm.ts"
import { output } from "./nodes/output.ts"
import { rag } from "./nodes/rag.ts"
import { report } from "./nodes/report.ts"
import { knowledgeRetriever, qaRetriever } from "./nodes/retrievers.ts"
import { start } from "./nodes/start.ts"
import { tool } from "./nodes/tool.ts"

const table: ReadonlyArray<NodeType> = [
  start,
  input,
  output,
  llm,
  agent,
  rag,
  qaRetriever,
  knowledgeRetriever,
  condition,
  tool,
  report,
  code,
  end
]

export const nodeTypes: ReadonlyMap<string, NodeType> = new Map(
  table.flatMap((nodeType) => nodeType.types.map((type) => [type, nodeType]))
)

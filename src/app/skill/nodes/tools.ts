/** Tools for agents: the server's own, and chains of the graph as tools. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Deltas, silent } from "../../../protocol/RunEvent.ts"
import { type Tool, ToolFailed } from "../../Tool.ts"
import { defineTool } from "../../tools/defineTool.ts"
import { fault, type GraphNode, named } from "../Graph.ts"
import { defineNode, needed, Optional, wired } from "../NodeType.ts"
import type { ChainPart, RetrieverPart } from "../Part.ts"

/** Nodes that stand for a tool that this server brings. */
const own: Readonly<Record<string, string>> = {
  Calculator: "calculator",
  "PAL-MATH": "calculator",
  CurrentTime: "current_time"
}

export const ownTool = defineNode({
  types: Object.keys(own),
  fields: Schema.Struct({}),
  build: (_fields, node, { tools }) => {
    const tool = tools.get(own[node.type] ?? "")
    return tool === undefined
      ? Effect.fail(fault(`this server has no tool for node ${named(node)}`, node))
      : Effect.succeed({ _tag: "Tool", tools: [tool] })
  }
})

/** A chain or a retriever of the graph, called by the agent's model. */
export const graphTool = defineNode({
  types: ["Tool", "VectorStoreInfo"],
  fields: Schema.Struct({ name: Optional(Schema.String), description: Optional(Schema.String) }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const spec = {
        name: toolName(fields.name ?? "", node),
        description: (fields.description ?? "").trim() || (fields.name ?? "").trim() || node.type
      }
      const field = node.type === "Tool" ? "func" : "vectorstore"
      const retriever = node.type === "Tool" ? null : yield* needed(node, field, "Retriever")
      if (retriever !== null) return { _tag: "Tool", tools: [retrieverTool(spec, retriever)] }
      const chain = yield* wired(node, field, "Chain")
      if (chain !== null) return { _tag: "Tool", tools: [chainTool(spec, chain)] }
      return yield* fault(`node ${named(node)} needs a chain connected to "${field}"`, node)
    })
})

interface Named {
  readonly name: string
  readonly description: string
}

/** Model servers take letters, digits, "_" and "-" alone. */
const toolName = (name: string, node: GraphNode): string => {
  const plain = (text: string) =>
    text
      .normalize("NFKD")
      .replace(/[^\w-]+/g, "_")
      .replace(/^_+|_+$/g, "")
      .slice(0, 64)
  return plain(name) || plain(node.id) || "tool"
}

const Input = Schema.Struct({
  input: Schema.String.pipe(Schema.maxLength(10_000)).annotations({
    description: "What to ask, in full: the tool knows nothing of the conversation.",
    message: () => "must be text of at most 10000 characters"
  })
})

const retrieverTool = (spec: Named, retriever: RetrieverPart): Tool =>
  defineTool({
    ...spec,
    category: "knowledge",
    arguments: Input,
    run: ({ input }, { userId }) =>
      retriever.search(input, userId).pipe(
        Effect.mapBoth({
          onFailure: ({ reason }) => new ToolFailed({ reason }),
          onSuccess: (passages) => ({
            output: passages.map(({ text }) => text).join("\n\n") || "Nothing was found.",
            passages
          })
        })
      )
  })

const chainTool = (spec: Named, chain: ChainPart): Tool =>
  defineTool({
    ...spec,
    category: "flow",
    arguments: Input,
    run: ({ input }, { userId }) =>
      chain.answer({ text: input, inputs: { [chain.inputKey]: input }, userId, history: [] }).pipe(
        Stream.runCollect,
        Effect.provideService(Deltas, silent),
        Effect.mapError(({ reason }) => new ToolFailed({ reason })),
        Effect.flatMap((events) => {
          const last = Chunk.last(events)
          return last._tag === "Some" && last.value._tag === "Answered"
            ? Effect.succeed({ output: last.value.text, passages: last.value.passages })
            : Effect.fail(new ToolFailed({ reason: `"${spec.name}" gave no answer` }))
        })
      )
  })

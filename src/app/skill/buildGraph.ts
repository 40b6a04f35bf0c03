/** Builds a graph's nodes, each once, sources first, up to the one that nothing else consumes. */
import * as Effect from "effect/Effect"
import { fault, type Graph, type GraphEdge, type GraphFault, type GraphNode, named } from "./Graph.ts"
import { lackOf } from "./lacking.ts"
import { append } from "./multimap.ts"
import type { Workbench } from "./NodeType.ts"
import { nodeTypes } from "./nodeTypes.ts"
import { inBuildOrder } from "./order.ts"
import type { ChainPart, Part, ReportPart } from "./Part.ts"

/** What answers in a graph. */
export type Ending = ChainPart | ReportPart

/** Called with each node that is about to be built; `index` counts from 0. */
export type OnNode = (node: GraphNode, index: number, total: number) => Effect.Effect<void>

/** Linear in nodes and edges. A fault names the node. */
export const buildGraph = (
  graph: Graph,
  bench: Workbench,
  onNode: OnNode = () => Effect.void
): Effect.Effect<Ending, GraphFault> =>
  Effect.gen(function* () {
    const types = bench.nodeTypes ?? nodeTypes
    const order = yield* inBuildOrder(graph, lackOf(types))
    const incoming = new Map<string, Array<GraphEdge>>()
    for (const edge of graph.edges) append(incoming, edge.target, edge)
    const built = new Map<string, Part>()
    for (const [index, node] of order.entries()) {
      yield* onNode(node, index, order.length)
      const nodeType = types.get(node.type)
      if (nodeType === undefined) return yield* fault(`this server cannot run ${named(node)}`, node)
      const wires = new Map<string, Array<Part>>()
      for (const { source, field } of incoming.get(node.id) ?? []) {
        const part = built.get(source)
        if (part !== undefined) append(wires, field, part)
      }
      built.set(node.id, yield* nodeType.build({ ...node, wires }, bench))
    }
    return yield* endingOf(graph, built)
  })

const endingOf = (graph: Graph, built: ReadonlyMap<string, Part>): Effect.Effect<Ending, GraphFault> => {
  const consumed = new Set(graph.edges.map((edge) => edge.source))
  const ends = graph.nodes.flatMap((node) => {
    const part = consumed.has(node.id) ? undefined : built.get(node.id)
    return part?._tag === "Chain" || part?._tag === "Report" ? [{ node, part }] : []
  })
  const [end] = ends
  if (end === undefined) {
    const last = graph.nodes.filter((node) => !consumed.has(node.id))
    return Effect.fail(fault("the graph has no chain that answers", ...last))
  }
  if (ends.length === 1) return Effect.succeed(end.part)
  const nodes = ends.map(({ node }) => node)
  return Effect.fail(fault(`more than one chain would answer: ${nodes.map(named).join(", ")}`, ...nodes))
}

/** What the editor shows of a built graph: the keys of a question, and those that others fill. */
export interface Inputs {
  readonly input_keys: Readonly<Record<string, string>>
  readonly memory_keys: ReadonlyArray<string>
  readonly handle_keys: ReadonlyArray<string>
}

export const inputsOf = (ending: Ending): Inputs => {
  if (ending._tag === "Report") return { input_keys: { report_name: "" }, memory_keys: [], handle_keys: [] }
  return {
    input_keys: ending.takesQuestion ? { [ending.inputKey]: "" } : {},
    memory_keys: ending.keys?.memory ?? [],
    handle_keys: ending.keys?.handles ?? []
  }
}

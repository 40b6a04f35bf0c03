/** A skill: a graph of nodes, built from its sources to the one chain that answers. */
import * as Effect from "effect/Effect"
import { AppNotBuilt } from "../../protocol/errors.ts"
import type { Flow } from "../../storage/rows.ts"
import type { App } from "../App.ts"
import { onDisconnectOf } from "../onDisconnect.ts"
import { decodeGraph, fault, type Graph, type GraphEdge, type GraphFault, named } from "./Graph.ts"
import { append } from "./multimap.ts"
import type { Workbench } from "./NodeType.ts"
import { nodeTypes } from "./nodeTypes.ts"
import { inBuildOrder } from "./order.ts"
import { type ChainPart, isPart, type Part } from "./Part.ts"

export const buildSkill = (flow: Flow, model: Workbench["model"]): Effect.Effect<App, AppNotBuilt> =>
  decodeGraph(flow.data).pipe(
    Effect.flatMap((graph) => buildGraph(graph, { flowId: flow.id, model })),
    Effect.map(
      (chain): App => ({
        flowId: flow.id,
        flowType: flow.flow_type,
        kind: "skill",
        name: flow.name,
        onDisconnect: onDisconnectOf(flow.data),
        inputKey: chain.inputKey,
        answer: chain.answer
      })
    ),
    Effect.mapError(({ reason }) => new AppNotBuilt({ flowId: flow.id, reason }))
  )

/** Builds every node once, sources first; answers the chain that nothing else consumes. */
export const buildGraph = (graph: Graph, bench: Workbench): Effect.Effect<ChainPart, GraphFault> =>
  Effect.gen(function* () {
    const order = yield* inBuildOrder(graph, (type) => nodeTypes.has(type))
    const incoming = new Map<string, Array<GraphEdge>>()
    for (const edge of graph.edges) append(incoming, edge.target, edge)
    const built = new Map<string, Part>()
    for (const node of order) {
      const nodeType = nodeTypes.get(node.type)
      if (nodeType === undefined) return yield* fault(`this server cannot run ${named(node)}`, node)
      const wires = new Map<string, Array<Part>>()
      for (const { source, field } of incoming.get(node.id) ?? []) {
        const part = built.get(source)
        if (part !== undefined) append(wires, field, part)
      }
      built.set(node.id, yield* nodeType.build({ ...node, wires }, bench))
    }
    return yield* answering(graph, built)
  })

const answering = (graph: Graph, built: ReadonlyMap<string, Part>): Effect.Effect<ChainPart, GraphFault> => {
  const consumed = new Set(graph.edges.map((edge) => edge.source))
  const ends = graph.nodes.filter((node) => !consumed.has(node.id))
  const chains = ends
    .flatMap((node) => [built.get(node.id)].filter((part) => part !== undefined))
    .filter(isPart("Chain"))
  const [chain] = chains
  if (chain === undefined) return Effect.fail(fault("the graph has no chain that answers", ...ends))
  if (chains.length > 1) {
    return Effect.fail(fault(`more than one chain would answer: ${ends.map(named).join(", ")}`, ...ends))
  }
  return Effect.succeed(chain)
}

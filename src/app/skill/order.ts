/** Checks that a graph hangs together and puts its nodes in the order they can be built: sources first. */
import * as Either from "effect/Either"
import { fault, type Graph, type GraphFault, type GraphNode, named } from "./Graph.ts"
import { append } from "./multimap.ts"

/** Linear in nodes and edges. `lacks` says why a node cannot be built here, or null. */
export const inBuildOrder = (
  graph: Graph,
  lacks: (node: GraphNode) => string | null
): Either.Either<ReadonlyArray<GraphNode>, GraphFault> => {
  const wrong = firstFault(graph, lacks)
  return wrong === null ? sorted(graph) : Either.left(wrong)
}

/** A reason is read by people. */
const maxListed = 10

const firstFault = (
  { nodes, edges }: Graph,
  lacks: (node: GraphNode) => string | null
): GraphFault | null => {
  if (nodes.length === 0) return fault("the graph has no node")
  const byId = new Map<string, GraphNode>()
  for (const node of nodes) {
    if (byId.has(node.id)) return fault(`two nodes have the id "${node.id}"`, node)
    byId.set(node.id, node)
  }
  const lacking = nodes.flatMap((node) => {
    const reason = lacks(node)
    return reason === null ? [] : [{ node, words: `${named(node)}: ${reason}` }]
  })
  if (lacking.length > 0) {
    const listed = lacking.slice(0, maxListed).map(({ words }) => words)
    const more = lacking.length > maxListed ? [`and ${lacking.length - maxListed} more`] : []
    return fault(
      `this server cannot run these nodes: ${[...listed, ...more].join("; ")}`,
      ...lacking.map(({ node }) => node)
    )
  }
  const connected = new Set<string>()
  for (const { source, target } of edges) {
    const lost = byId.has(source) ? target : source
    if (!byId.has(lost)) return fault(`an edge from "${source}" to "${target}" has no node "${lost}"`)
    connected.add(source).add(target)
  }
  const alone = nodes.find((node) => nodes.length > 1 && !connected.has(node.id))
  return alone === undefined ? null : fault(`node ${named(alone)} is not connected to any other`, alone)
}

const sorted = ({ nodes, edges }: Graph): Either.Either<ReadonlyArray<GraphNode>, GraphFault> => {
  const waitsFor = new Map(nodes.map((node) => [node.id, 0]))
  const targets = new Map<string, Array<string>>()
  for (const { source, target } of edges) {
    waitsFor.set(target, (waitsFor.get(target) ?? 0) + 1)
    append(targets, source, target)
  }
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const order = nodes.filter((node) => waitsFor.get(node.id) === 0)
  // `order` grows while it is walked: each node frees those that waited for it alone.
  for (const node of order) {
    for (const target of targets.get(node.id) ?? []) {
      const left = (waitsFor.get(target) ?? 0) - 1
      waitsFor.set(target, left)
      const next = byId.get(target)
      if (left === 0 && next !== undefined) order.push(next)
    }
  }
  if (order.length === nodes.length) return Either.right(order)
  const stuck = nodes.filter((node) => (waitsFor.get(node.id) ?? 0) > 0)
  const listed = stuck.slice(0, maxListed).map(named).join(", ")
  const more = stuck.length > maxListed ? ` and ${stuck.length - maxListed} more` : ""
  return Either.left(fault(`the graph runs in a circle through ${listed}${more}`, ...stuck))
}

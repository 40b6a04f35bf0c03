/**
 * The ways through a graph: checked once when a workflow is built, looked up while it runs.
 *
 * Refused: no or several starts, an edge from or to nowhere, a node without any edge, the same id twice.
 */
import * as Effect from "effect/Effect"
import { fault, type Graph, named, type WorkflowFault } from "./Graph.ts"

export interface Plan {
  readonly start: string
  /** Every node's place in the graph as saved: decides where nothing else does. */
  readonly order: ReadonlyMap<string, number>
  /** Where a node's ways out lead, each target once. null: all of them. */
  readonly targets: (node: string, handle: string | null) => ReadonlyArray<string>
  /** Whether more than one node leads to it: it may have to wait for several. */
  readonly joins: (node: string) => boolean
  /** Whether a way leads from one to the other. */
  readonly reaches: (from: string, to: string) => boolean
}

export const planOf = (graph: Graph): Effect.Effect<Plan, WorkflowFault> =>
  Effect.suspend(() => {
    const order = new Map(graph.nodes.map((node, index) => [node.id, index]))
    const starts = graph.nodes.filter((node) => node.type === "start")
    const [start] = starts
    if (graph.nodes.length === 0) return Effect.fail(fault("the graph has no nodes"))
    if (order.size < graph.nodes.length) {
      const twice = graph.nodes.find((node, index) => order.get(node.id) !== index)
      return Effect.fail(fault(`two nodes have the id "${twice?.id}"`))
    }
    if (start === undefined) return Effect.fail(fault("the graph has no start node"))
    if (starts.length > 1) {
      return Effect.fail(fault(`the graph has more than one start node: ${starts.map(named).join(", ")}`))
    }
    const outgoing = new Map<string, Map<string, Set<string>>>()
    const sources = new Map<string, Set<string>>()
    for (const { source, handle, target } of graph.edges) {
      for (const end of [source, target]) {
        if (!order.has(end)) {
          return Effect.fail(
            fault(`an edge from "${source}" to "${target}" leads nowhere: there is no "${end}"`)
          )
        }
      }
      const ways = outgoing.get(source) ?? new Map<string, Set<string>>()
      outgoing.set(source, ways.set(handle, (ways.get(handle) ?? new Set<string>()).add(target)))
      sources.set(target, (sources.get(target) ?? new Set<string>()).add(source))
    }
    const alone = graph.nodes.find((node) => !outgoing.has(node.id) && !sources.has(node.id))
    if (alone !== undefined) return Effect.fail(fault(`node ${named(alone)} is not connected to anything`))
    return Effect.succeed({
      start: start.id,
      order,
      targets: (node, handle) => {
        const ways = outgoing.get(node)
        if (ways === undefined) return []
        return handle === null
          ? [...new Set([...ways.values()].flatMap((one) => [...one]))]
          : [...(ways.get(handle) ?? [])]
      },
      joins: (node) => (sources.get(node)?.size ?? 0) > 1,
      reaches: reachability(sources)
    })
  })

/** Which nodes lead to a node is found when it is first asked, and kept: only nodes that join are asked for. */
const reachability = (sources: ReadonlyMap<string, ReadonlySet<string>>): Plan["reaches"] => {
  const known = new Map<string, ReadonlySet<string>>()
  return (from, to) => {
    const found = known.get(to) ?? ancestors(to, sources)
    known.set(to, found)
    return found.has(from)
  }
}

const ancestors = (node: string, sources: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> => {
  const found = new Set<string>()
  const open = [node]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const source of sources.get(next) ?? []) {
      if (!found.has(source)) {
        found.add(source)
        open.push(source)
      }
    }
  }
  return found
}

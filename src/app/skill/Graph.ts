/**
 * A skill's graph as Bisheng's editor saves it. Only what building needs is named; the rest (positions,
 * sizes, display names) is left alone. `validate` answers the nodes in the order they can be built.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { firstIssue } from "../firstIssue.ts"

/** Why a graph cannot be built. `reason` names the node, for people. */
export class GraphFault extends Data.TaggedError("GraphFault")<{
  readonly reason: string
  readonly nodes: ReadonlyArray<{ readonly id: string; readonly type: string }>
}> {}

const Node = Schema.Struct({
  id: Schema.NonEmptyString,
  data: Schema.Struct({
    type: Schema.NonEmptyString,
    node: Schema.Struct({
      /** By field: an object with `value`, `required` and more; `_type` is a plain string. */
      template: Schema.Record({ key: Schema.String, value: Schema.Unknown })
    })
  })
})

const Edge = Schema.Struct({
  source: Schema.String,
  target: Schema.String,
  /** `<accepted types>|<field>|<node id>` */
  targetHandle: Schema.String
})

const GraphData = Schema.Struct({
  nodes: Schema.Array(Node),
  edges: Schema.Array(Edge)
})

export interface GraphNode {
  readonly id: string
  readonly type: string
  readonly template: Readonly<Record<string, unknown>>
}

export interface GraphEdge {
  readonly source: string
  readonly target: string
  /** The target's field that the source's part goes into. */
  readonly field: string
}

export interface Graph {
  readonly nodes: ReadonlyArray<GraphNode>
  readonly edges: ReadonlyArray<GraphEdge>
}

const decode = Schema.decodeUnknown(GraphData)

export const decodeGraph = (data: unknown): Effect.Effect<Graph, GraphFault> =>
  decode(data).pipe(
    Effect.mapError((error) => fault(`this is not a graph: ${firstIssue(error)}`)),
    Effect.map(({ nodes, edges }) => ({
      nodes: nodes.map((node) => ({ id: node.id, type: node.data.type, template: node.data.node.template })),
      edges: edges.map(({ source, target, targetHandle }) => ({
        source,
        target,
        field: targetHandle.split("|")[1] ?? targetHandle
      }))
    }))
  )

export const fault = (reason: string, ...nodes: ReadonlyArray<GraphNode>): GraphFault =>
  new GraphFault({ reason, nodes: nodes.map(({ id, type }) => ({ id, type })) })

/** `"LLMChain-aSC8H" (LLMChain)` */
export const named = ({ id, type }: { readonly id: string; readonly type: string }): string =>
  `"${id}" (${type})`

/**
 * A workflow's graph as Bisheng's editor saves it. Only what running needs is named; the rest (positions,
 * sizes, help texts) is left alone. Unlike a skill's graph it may have circles: they are loops.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { firstIssue } from "../firstIssue.ts"

/** Why a workflow cannot be built. `reason` names the node, for people. */
export class WorkflowFault extends Data.TaggedError("WorkflowFault")<{ readonly reason: string }> {}

const Nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** One field of a node, as the editor shows it. More keys are kept: some nodes send the field to the client. */
const Param = Schema.Struct({ key: Schema.String }, { key: Schema.String, value: Schema.Unknown })

const Node = Schema.Struct({
  id: Schema.NonEmptyString,
  data: Schema.Struct({
    type: Schema.NonEmptyString,
    name: Nullish(Schema.String),
    tab: Nullish(Schema.Struct({ value: Nullish(Schema.String) })),
    tool_key: Nullish(Schema.String),
    group_params: Nullish(Schema.Array(Schema.Struct({ params: Nullish(Schema.Array(Param)) })))
  })
})

const Edge = Schema.Struct({
  source: Schema.String,
  sourceHandle: Nullish(Schema.String),
  target: Schema.String
})

const GraphData = Schema.Struct({ nodes: Schema.Array(Node), edges: Schema.Array(Edge) })

export interface Field {
  readonly key: string
  readonly [name: string]: unknown
}

export interface GraphNode {
  readonly id: string
  readonly type: string
  /** What people call it. */
  readonly name: string
  /** The variant that the editor shows: "single" or "batch", "dialog_input" or "form_input"; "" without tabs. */
  readonly tab: string
  readonly toolKey: string
  readonly fields: ReadonlyMap<string, Field>
}

export interface GraphEdge {
  readonly source: string
  /** Which way out of its source: "right_handle", or the id of a choice or a case. */
  readonly handle: string
  readonly target: string
}

export interface Graph {
  readonly nodes: ReadonlyArray<GraphNode>
  readonly edges: ReadonlyArray<GraphEdge>
}

/** The way out of a node that has one only, and of a condition when no case holds. */
export const rightHandle = "right_handle"

const decode = Schema.decodeUnknown(GraphData)

export const decodeGraph = (data: unknown): Effect.Effect<Graph, WorkflowFault> =>
  decode(data).pipe(
    Effect.mapError((error) => fault(`this is not a graph: ${firstIssue(error)}`)),
    Effect.map(({ nodes, edges }) => ({
      // Notes are remarks on the canvas.
      nodes: nodes.filter(({ data: { type } }) => type !== "note").map(toNode),
      edges: edges.map(({ source, sourceHandle, target }) => ({
        source,
        target,
        handle: sourceHandle ?? rightHandle
      }))
    }))
  )

const toNode = ({ id, data }: typeof Node.Type): GraphNode => ({
  id,
  type: data.type,
  name: data.name ?? id,
  tab: data.tab?.value ?? "",
  toolKey: data.tool_key ?? "",
  fields: new Map(
    (data.group_params ?? []).flatMap(({ params }) => (params ?? []).map((param) => [param.key, param]))
  )
})

export const fault = (reason: string): WorkflowFault => new WorkflowFault({ reason })

/** `"llm_8bbee" (llm)` */
export const named = ({ id, type }: { readonly id: string; readonly type: string }): string =>
  `"${id}" (${type})`

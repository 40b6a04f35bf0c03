/** A type of node that can be built: its names, the Schema of its fields, and what it makes of them. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { DocumentsService } from "../../knowledge/Documents.ts"
import type { RetrievalService } from "../../knowledge/Retrieval.ts"
import type { LanguageModelService } from "../../model/LanguageModel.ts"
import type { LibraryService } from "../../model/Library.ts"
import type { FormValues } from "../App.ts"
import { firstIssue } from "../firstIssue.ts"
import type { Tools } from "../tools/tools.ts"
import { fault, type GraphFault, type GraphNode, named } from "./Graph.ts"
import { isPart, type Part } from "./Part.ts"

/** What nodes build with. */
export interface Workbench {
  readonly flowId: string
  readonly model: LanguageModelService
  /** The files of the app as a whole: what a store without documents of its own searches. */
  readonly library: LibraryService
  readonly documents: DocumentsService
  readonly retrieval: RetrievalService
  readonly tools: Tools
  /** The types of nodes there are; absent: the built-in ones. */
  readonly nodeTypes?: ReadonlyMap<string, NodeType>
  /** What the app's input nodes were given. */
  readonly values: FormValues
}

export interface NodeType {
  /** The `data.type`s it stands for. */
  readonly types: ReadonlyArray<string>
  /** What this node needs that cannot exist here, for people; null: nothing. Absent: never anything. */
  readonly lacks?: (node: GraphNode) => string | null
  readonly build: (node: WiredNode, bench: Workbench) => Effect.Effect<Part, GraphFault>
}

/** A node together with the parts that edges bring to its fields. */
export interface WiredNode extends GraphNode {
  readonly wires: ReadonlyMap<string, ReadonlyArray<Part>>
}

export const defineNode = <A, I>(definition: {
  readonly types: ReadonlyArray<string>
  /** Of the fields' values; fields without a value are absent. */
  readonly fields: Schema.Schema<A, I>
  readonly lacks?: (node: GraphNode) => string | null
  readonly build: (fields: A, node: WiredNode, bench: Workbench) => Effect.Effect<Part, GraphFault>
}): NodeType => {
  const decode = Schema.decodeUnknown(definition.fields)
  return {
    types: definition.types,
    ...(definition.lacks === undefined ? {} : { lacks: definition.lacks }),
    build: (node, bench) =>
      decode(fieldValues(node)).pipe(
        Effect.mapError((error) => fault(`node ${named(node)}: ${firstIssue(error)}`, node)),
        Effect.flatMap((fields) => definition.build(fields, node, bench))
      )
  }
}

/** A field of a node that may be left empty. */
export const Optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** The values typed into a node's fields. */
export const fieldValues = (node: GraphNode): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(node.template).flatMap(([name, field]) =>
      Predicate.hasProperty(field, "value") && field.value !== null ? [[name, field.value]] : []
    )
  )

/** The one part connected to a field, or none. More than one, or one of another kind, is a fault. */
export const wired = <Tag extends Part["_tag"]>(
  node: WiredNode,
  field: string,
  tag: Tag
): Effect.Effect<Extract<Part, { readonly _tag: Tag }> | null, GraphFault> => {
  const parts = node.wires.get(field) ?? []
  if (parts.length > 1)
    return Effect.fail(fault(`node ${named(node)}: "${field}" takes one connection`, node))
  const [part] = parts
  if (part === undefined) return Effect.succeed(null)
  if (isPart(tag)(part)) return Effect.succeed(part)
  const words = `"${field}" takes a ${tag.toLowerCase()}, not a ${part._tag.toLowerCase()}`
  return Effect.fail(fault(`node ${named(node)}: ${words}`, node))
}

/** All parts connected to a field, in the order of the edges. One of another kind is a fault. */
export const wiredAll = <Tag extends Part["_tag"]>(
  node: WiredNode,
  field: string,
  tag: Tag
): Effect.Effect<ReadonlyArray<Extract<Part, { readonly _tag: Tag }>>, GraphFault> => {
  const parts = node.wires.get(field) ?? []
  const fitting = parts.filter(isPart(tag))
  if (fitting.length === parts.length) return Effect.succeed(fitting)
  return Effect.fail(fault(`node ${named(node)}: "${field}" takes only a ${tag.toLowerCase()}`, node))
}

/** As `wired`, where the node is nothing without it. */
export const needed = <Tag extends Part["_tag"]>(
  node: WiredNode,
  field: string,
  tag: Tag
): Effect.Effect<Extract<Part, { readonly _tag: Tag }>, GraphFault> =>
  Effect.flatMap(wired(node, field, tag), (part) =>
    part === null
      ? Effect.fail(fault(`node ${named(node)} needs a ${tag.toLowerCase()} connected to "${field}"`, node))
      : Effect.succeed(part)
  )

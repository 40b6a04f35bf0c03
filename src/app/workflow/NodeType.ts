/** A type of node of a workflow: its names, the Schema of its fields, and how it runs. */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { DocumentFailed, DocumentsService } from "../../knowledge/Documents.ts"
import type { RetrievalService } from "../../knowledge/Retrieval.ts"
import type { LanguageModelService } from "../../model/LanguageModel.ts"
import type { LibraryService } from "../../model/Library.ts"
import { RunFailed } from "../../protocol/errors.ts"
import type { Json } from "../../protocol/frames.ts"
import {
  type Deltas,
  type NodeRun,
  type NodeSaid,
  noUsage,
  type Told,
  type Usage
} from "../../protocol/RunEvent.ts"
import { firstIssue } from "../firstIssue.ts"
import type { Tools } from "../tools/tools.ts"
import { fault, type GraphNode, named, type WorkflowFault } from "./Graph.ts"
import type { ReportMaker } from "./ReportMaker.ts"
import type { Reading, Said } from "./variables.ts"

/** What nodes work with. */
export interface WorkflowBench {
  readonly model: LanguageModelService
  /** The files of the app as a whole: what a node searches that names no file of its own. */
  readonly library: LibraryService
  readonly documents: DocumentsService
  readonly retrieval: RetrievalService
  readonly tools: Tools
  /** Absent: report nodes say that they lack it. */
  readonly report?: ReportMaker
}

export interface NodeContext {
  readonly run: NodeRun
  readonly flowId: string
  readonly userId: number
  /** The variables as they are now, and a record of what is read of them. */
  readonly reading: Reading
  /** The conversation before the run and in it, oldest first. */
  readonly history: ReadonlyArray<Said>
  /** What people call a node, and its type. */
  readonly nodeOf: (id: string) => Pick<FlowNode, "name" | "type"> | undefined
  /** Tells the client; done when the event has been taken. */
  readonly tell: (event: Told) => Effect.Effect<void>
}

/** A line of a node's log, as the editor shows it. */
export interface LogEntry {
  readonly key: string
  readonly value: Json
  readonly type: "params" | "variable" | "key" | "tool"
}

export interface NodeResult {
  /** Kept as variables of the node. */
  readonly outputs: Readonly<Record<string, Json>>
  /** Which way to go on; null: all. */
  readonly handle: string | null
  /** What the conversation has become longer by. */
  readonly said: ReadonlyArray<Said>
  /** One list for each item that it worked on. */
  readonly log: ReadonlyArray<ReadonlyArray<LogEntry>>
  readonly usage: Usage
  /** It has asked something and goes on, by `proceed`, when a person has answered. */
  readonly waits: boolean
}

export const result = (more: Partial<NodeResult>): NodeResult => ({
  outputs: {},
  handle: null,
  said: [],
  log: [],
  usage: noUsage,
  waits: false,
  ...more
})

/** A person's answer to one node, as the node has accepted it. */
export interface NodeReply {
  readonly values: Readonly<Record<string, Json>>
  /** What it says, where the client does not put it in words. */
  readonly text: string
}

export interface FlowNode {
  readonly id: string
  readonly type: string
  readonly name: string
  /** Of a node that asks before it runs: what. */
  readonly prompt?: (reading: Reading) => NodeSaid
  /** Of a node that asks at all. Left: why the answer does not fit, for people. */
  readonly accept?: (data: Readonly<Record<string, unknown>>) => Either.Either<NodeReply, string>
  /** `reply` is empty unless it has asked before. */
  readonly run: (context: NodeContext, reply: NodeReply) => Effect.Effect<NodeResult, RunFailed, Deltas>
  /** Of a node that asks after it ran. */
  readonly proceed?: (reply: NodeReply) => Pick<NodeResult, "outputs" | "handle" | "said">
}

export const noReply: NodeReply = { values: {}, text: "" }

/** What `make` says of a node: how it runs, and what it needs that is not there, in words. */
export type Made = Omit<FlowNode, "id" | "type" | "name"> & { readonly lacks?: ReadonlyArray<string> }

export interface NodeType {
  /** The `data.type`s it stands for. */
  readonly types: ReadonlyArray<string>
  readonly make: (node: GraphNode, bench: NodeBench) => Effect.Effect<Made, WorkflowFault>
}

export interface NodeBench extends WorkflowBench {
  readonly flowId: string
}

export const defineNode = <A, I>(definition: {
  readonly types: ReadonlyArray<string>
  /** Of the fields' values; fields without a value are absent. */
  readonly fields: Schema.Schema<A, I>
  readonly make: (fields: A, node: GraphNode, bench: NodeBench) => Made
}): NodeType => {
  const decode = Schema.decodeUnknown(definition.fields)
  return {
    types: definition.types,
    make: (node, bench) =>
      decode(fieldValues(node)).pipe(
        Effect.mapError((error) => fault(`node ${named(node)}: ${firstIssue(error)}`)),
        Effect.map((fields) => definition.make(fields, node, bench))
      )
  }
}

/** A field that may be left out or empty. */
export const Optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

const fieldValues = (node: GraphNode): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    [...node.fields].flatMap(([key, { value }]) =>
      value === undefined || value === null ? [] : [[key, value]]
    )
  )

export const failed = (reason: string): RunFailed => new RunFailed({ reason, kind: "workflow" })

/** A document that cannot be read, and nothing else. */
export const unreadable = ({ reason }: DocumentFailed): RunFailed =>
  new RunFailed({ reason, kind: "workflow", about: "document" })

export const sum = (usages: ReadonlyArray<Usage>): Usage => ({
  promptTokens: usages.reduce((total, usage) => total + usage.promptTokens, 0),
  completionTokens: usages.reduce((total, usage) => total + usage.completionTokens, 0)
})

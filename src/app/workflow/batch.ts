/** A node with the tab "batch" runs once for each of the variables chosen for it, and makes one output of each. */
import * as Schema from "effect/Schema"
import type { Json } from "../../protocol/frames.ts"
import type { GraphNode } from "./Graph.ts"
import { Optional } from "./NodeType.ts"
import type { Reading, Values } from "./variables.ts"

export const Keyed = Schema.Array(Schema.Union(Schema.Struct({ key: Schema.String }), Schema.String))

export const batchFields = {
  batch_variable: Optional(Schema.Array(Schema.String)),
  /** The outputs' names, one for each variable. */
  output: Optional(Schema.Union(Keyed, Schema.String))
}

/** As the editor's slider has it. */
export const Temperature = Schema.Union(Schema.Number, Schema.NumberFromString).pipe(Schema.between(0, 2))

/** How many items of one node are worked on at the same time. */
export const concurrentItems = 4

export interface BatchItem {
  readonly outputKey: string
  /** What only this item's texts may refer to. */
  readonly own: Values
  /** null: not a batch. */
  readonly value: Json
}

export const itemsOf = (
  node: GraphNode,
  fields: {
    readonly batch_variable?: ReadonlyArray<string> | null | undefined
    readonly output?: typeof Keyed.Type | string | null | undefined
  },
  reading: Reading
): ReadonlyArray<BatchItem> => {
  if (node.tab !== "batch") return [{ outputKey: "output", own: new Map(), value: null }]
  const keys = typeof fields.output === "string" ? [] : (fields.output ?? [])
  return (fields.batch_variable ?? []).map((reference, index) => {
    const value = reading.value(reference)
    return {
      outputKey: keyAt(keys, index) ?? `output${index + 1}`,
      own: new Map([[`${node.id}.batch_variable`, value]]),
      value
    }
  })
}

export const keyAt = (keys: typeof Keyed.Type, index: number): string | undefined => {
  const one = keys[index]
  return typeof one === "string" ? one : one?.key
}

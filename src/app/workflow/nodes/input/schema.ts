/** What an input node asks for, in the words of Bisheng's clients: one field of the node, all its keys present. */
import type { Json } from "../../../../protocol/frames.ts"
import type { NodeSaid } from "../../../../protocol/RunEvent.ts"
import type { GraphNode } from "../../Graph.ts"
import { isList, jsonOf } from "../../json.ts"

export const param = (node: GraphNode, key: string, tab: string): { readonly [key: string]: Json } => {
  const given = Object.fromEntries(
    Object.entries(node.fields.get(key) ?? {}).map(([name, value]) => [name, jsonOf(value)])
  )
  return {
    label: "",
    value: "",
    type: "",
    help: "",
    placeholder: "",
    required: false,
    options: null,
    ...given,
    key,
    tab
  }
}

export const asked = (node: GraphNode, schema: { readonly [key: string]: Json }): NodeSaid => ({
  _tag: "NodeSaid",
  category: "input",
  message: { node_id: node.id, name: node.name, input_schema: schema },
  files: [],
  source: 0,
  passages: []
})

/** The texts of a list, as `accept` has made it. */
export const listOf = (value: Json | undefined): ReadonlyArray<string> =>
  isList(value) ? value.filter((one) => typeof one === "string") : []

/** Values by name that are filled in before the question; until then, the ones in the graph. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { asText } from "../asText.ts"
import { defineNode, Optional } from "../NodeType.ts"

export const variableNode = defineNode({
  types: ["VariableNode"],
  fields: Schema.Struct({
    variables: Optional(Schema.Union(Schema.String, Schema.Array(Schema.String))),
    /** In the order of the names, or by name. */
    variable_value: Optional(
      Schema.Union(
        Schema.String,
        Schema.Array(Schema.Unknown),
        Schema.Record({ key: Schema.String, value: Schema.Unknown })
      )
    )
  }),
  build: (fields, node, { values }) => {
    const names = namesOf(fields.variables)
    const filled = Object.hasOwn(values.variables, node.id) ? (values.variables[node.id] ?? {}) : {}
    const usual = fields.variable_value ?? []
    const fallback = (name: string, at: number): string => {
      if (typeof usual === "string") return at === 0 ? usual : ""
      if (isList(usual)) return asText(usual[at])
      return Object.hasOwn(usual, name) ? asText(usual[name]) : ""
    }
    return Effect.succeed({
      _tag: "Variable",
      nodeId: node.id,
      values: Object.fromEntries(
        names.map((name, at) => [
          name,
          (Object.hasOwn(filled, name) ? filled[name] : undefined) ?? fallback(name, at)
        ])
      )
    })
  }
})

const isList = (value: ReadonlyArray<unknown> | object): value is ReadonlyArray<unknown> =>
  Array.isArray(value)

/** Each once; the names are the form's labels. */
export const namesOf = (value: string | ReadonlyArray<string> | null | undefined): ReadonlyArray<string> => {
  const all = typeof value === "string" ? [value] : (value ?? [])
  return [...new Set(all.map((name) => name.trim()).filter((name) => name !== ""))]
}

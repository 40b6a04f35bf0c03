/** A prompt with variables. Each variable may have a field of its own name with a value to fall back on. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { asText } from "../asText.ts"
import { fault, type GraphNode, named } from "../Graph.ts"
import { defineNode, Optional } from "../NodeType.ts"
import { parsePrompt } from "../prompt.ts"

export const promptTemplate = defineNode({
  types: ["PromptTemplate"],
  fields: Schema.Struct({
    template: Schema.String,
    template_format: Optional(Schema.String),
    /** Values that are fixed in the graph; text where the editor left the field as it was. */
    partial_variables: Optional(
      Schema.Union(Schema.Record({ key: Schema.String, value: Schema.Unknown }), Schema.String)
    )
  }),
  build: (fields, node) => {
    const format = fields.template_format || "f-string"
    if (format !== "f-string") {
      return Effect.fail(fault(`node ${named(node)}: templates in ${format} are not supported`, node))
    }
    return Either.match(parsePrompt(fields.template), {
      onLeft: (wrong) => Effect.fail(fault(`node ${named(node)}: its template ${wrong}`, node)),
      onRight: (prompt) => {
        const fixed = fields.partial_variables ?? {}
        const partial = typeof fixed === "string" ? [] : Object.entries(fixed)
        const defaults = new Map([
          ...prompt.variables.flatMap((name) => fallback(node, name)),
          ...partial.map(([name, value]): [string, string] => [name, asText(value)])
        ])
        return Effect.succeed({ _tag: "Prompt", prompt, defaults })
      }
    })
  }
})

/** A variable whose field is not required may stay empty. */
const fallback = (node: GraphNode, name: string): ReadonlyArray<[string, string]> => {
  const field = Object.hasOwn(node.template, name) ? node.template[name] : undefined
  if (!Predicate.isRecord(field)) return []
  const value = asText(field.value)
  return value === "" && field.required === true ? [] : [[name, value]]
}

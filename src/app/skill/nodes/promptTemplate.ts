/** A prompt with variables. Each variable may have a field of its own name with a value to fall back on. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { RunFailed } from "../../../protocol/errors.ts"
import { asText } from "../asText.ts"
import { fault, type GraphFault, type GraphNode, named } from "../Graph.ts"
import { defineNode, Optional, type WiredNode } from "../NodeType.ts"
import type { Part, PromptPart } from "../Part.ts"
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
      onLeft: (wrong): Effect.Effect<PromptPart, GraphFault> =>
        Effect.fail(fault(`node ${named(node)}: its template ${wrong}`, node)),
      onRight: (prompt) => {
        const fixed = fields.partial_variables ?? {}
        const partial = typeof fixed === "string" ? [] : Object.entries(fixed)
        const defaults = new Map([
          ...prompt.variables.flatMap((name) => fallback(node, name)),
          ...partial.map(([name, value]): [string, string] => [name, asText(value)])
        ])
        return Effect.map(suppliedTo(node, prompt.variables), (supplied) => ({
          _tag: "Prompt" as const,
          prompt,
          defaults,
          supplied
        }))
      }
    })
  }
})

/** What connected nodes bring to the variables of their fields' names; several to one: one after the other. */
const suppliedTo = (
  node: WiredNode,
  variables: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, Effect.Effect<string, RunFailed>>, GraphFault> =>
  Effect.gen(function* () {
    const supplied = new Map<string, Effect.Effect<string, RunFailed>>()
    for (const name of variables) {
      const parts = node.wires.get(name) ?? []
      if (parts.length === 0) continue
      const texts: Array<Effect.Effect<string, RunFailed>> = []
      for (const part of parts) {
        const text = textOf(part, name)
        if (text === null) {
          const kind = part._tag.toLowerCase()
          return yield* fault(`node ${named(node)}: a ${kind} cannot fill "${name}"`, node)
        }
        texts.push(text)
      }
      supplied.set(
        name,
        Effect.map(Effect.all(texts), (all) => all.join("\n\n"))
      )
    }
    return supplied
  })

const textOf = (part: Part, name: string): Effect.Effect<string, RunFailed> | null => {
  switch (part._tag) {
    case "Documents":
      return Effect.map(part.load, (docs) => docs.map(({ text }) => text).join("\n\n"))
    case "Variable":
      return Effect.succeed(variableText(part.values, name))
    case "Prompt":
      // An output parser: how the answer is to be written, as a text without variables.
      return part.prompt.variables.length > 0
        ? null
        : Effect.succeed(
            part.prompt.pieces.map((piece) => (piece._tag === "Text" ? piece.text : "")).join("")
          )
    default:
      return null
  }
}

/** The value of the same name, or the only one, or all of them line by line. */
const variableText = (values: Readonly<Record<string, string>>, name: string): string => {
  const own = Object.hasOwn(values, name) ? values[name] : undefined
  if (own !== undefined) return own
  const all = Object.entries(values)
  const [only] = all
  if (only !== undefined && all.length === 1) return only[1]
  return all.map(([key, value]) => `${key}: ${value}`).join("\n")
}

/** A variable whose field is not required may stay empty. */
const fallback = (node: GraphNode, name: string): ReadonlyArray<[string, string]> => {
  const field = Object.hasOwn(node.template, name) ? node.template[name] : undefined
  if (!Predicate.isRecord(field)) return []
  const value = asText(field.value)
  return value === "" && field.required === true ? [] : [[name, value]]
}

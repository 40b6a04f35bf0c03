/** How an answer is to be written, as a text for a prompt: JSON with these fields. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fault, named } from "../Graph.ts"
import { defineNode, Optional, wiredAll } from "../NodeType.ts"
import type { PromptPart } from "../Part.ts"

const plainText = (text: string): PromptPart => ({
  _tag: "Prompt",
  prompt: { pieces: [{ _tag: "Text", text }], variables: [] },
  defaults: new Map(),
  supplied: new Map()
})

export const responseSchema = defineNode({
  types: ["ResponseSchema"],
  fields: Schema.Struct({
    name: Schema.NonEmptyString,
    description: Optional(Schema.String),
    type: Optional(Schema.String)
  }),
  build: ({ description, name, type }) =>
    Effect.succeed(plainText(`\t${JSON.stringify(name)}: ${type || "string"}  // ${description ?? ""}`))
})

export const structuredOutputParser = defineNode({
  types: ["StructuredOutputParser"],
  fields: Schema.Struct({}),
  build: (_fields, node) =>
    Effect.gen(function* () {
      const schemas = yield* wiredAll(node, "response_schemas", "Prompt")
      if (schemas.length === 0) {
        return yield* fault(`node ${named(node)} needs fields connected to "response_schemas"`, node)
      }
      const lines = schemas.flatMap(({ prompt }) =>
        prompt.pieces.map((piece) => (piece._tag === "Text" ? piece.text : ""))
      )
      return plainText(
        "Write the answer as a Markdown code block of JSON with these fields, and nothing else:\n\n" +
          `\`\`\`json\n{\n${lines.join("\n")}\n}\n\`\`\``
      )
    })
})

/** Preset questions: asked one after the other over an uploaded file, or as the sections of a report. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LooseText, textList } from "../fields.ts"
import { defineNode, Optional } from "../NodeType.ts"

export const inputNode = defineNode({
  types: ["InputNode"],
  fields: Schema.Struct({ input: Optional(LooseText) }),
  build: ({ input }) => Effect.succeed({ _tag: "Input", questions: textList(input) })
})

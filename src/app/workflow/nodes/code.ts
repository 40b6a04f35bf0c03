/** Python code of the workflow's author. It is never run here. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineNode, failed } from "../NodeType.ts"

const refusal =
  "it runs Python code, for which this server has no sandbox; use a tool or a model node instead"

export const code = defineNode({
  types: ["code"],
  fields: Schema.Struct({}),
  make: () => ({ lacks: [refusal], run: () => Effect.fail(failed(refusal)) })
})

/** Where a branch ends. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineNode, result } from "../NodeType.ts"

export const end = defineNode({
  types: ["end"],
  fields: Schema.Struct({}),
  make: () => ({ run: () => Effect.succeed(result({})) })
})

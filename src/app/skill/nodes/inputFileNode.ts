/** A file that is uploaded before the question; without one, the file that the graph names. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fileIdOf } from "../fileIdOf.ts"
import { defineNode, Optional } from "../NodeType.ts"

export const inputFileNode = defineNode({
  types: ["InputFileNode", "InputFile"],
  fields: Schema.Struct({
    file_path: Optional(Schema.Unknown),
    /** What to upload, for people. */
    file_type: Optional(Schema.Unknown)
  }),
  build: ({ file_path }, node, { values }) => {
    const given = Object.hasOwn(values.files, node.id) ? values.files[node.id] : undefined
    return Effect.succeed({ _tag: "File", fileId: fileIdOf(given ?? file_path) })
  }
})

/**
 * Documents out of an uploaded file. Which library the node names does not matter here: what the file is decides
 * how it is read. Read when it is first needed, then kept with the app.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { unreadable } from "../chain.ts"
import { fileIdOf } from "../fileIdOf.ts"
import { named } from "../Graph.ts"
import { keptOnce } from "../keptOnce.ts"
import { defineNode, Optional, wired } from "../NodeType.ts"

export const loader = defineNode({
  types: [
    "BSHTMLLoader",
    "CSVLoader",
    "ElemUnstructuredLoader",
    "ElemUnstructuredLoaderV0",
    "PDFWithSemanticLoader",
    "PyPDFLoader",
    "TextLoader",
    "UnstructuredExcelLoader",
    "UnstructuredFileLoader",
    "UnstructuredHTMLLoader",
    "UnstructuredMarkdownLoader",
    "UnstructuredPDFLoader",
    "UnstructuredWordDocumentLoader"
  ],
  fields: Schema.Struct({ file_path: Optional(Schema.Unknown) }),
  build: (fields, node, { documents }) =>
    Effect.gen(function* () {
      const file = yield* wired(node, "file_path", "File")
      const fileId = file === null ? fileIdOf(fields.file_path) : file.fileId
      const load = yield* keptOnce(
        fileId === null
          ? Effect.fail(unreadable(`upload a file first: node ${named(node)} has none to read`))
          : Effect.mapError(documents.load(fileId), ({ reason }) => unreadable(reason))
      )
      return { _tag: "Documents", load }
    })
})

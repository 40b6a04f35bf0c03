/** Cuts documents into pieces of a size, at the separators that the node names. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { splitDocs } from "../../../knowledge/split.ts"
import { LooseNumber, numberOr } from "../fields.ts"
import { fault, named } from "../Graph.ts"
import { keptOnce } from "../keptOnce.ts"
import { defineNode, Optional, wiredAll } from "../NodeType.ts"

const usualSize = 1000
const usualOverlap = 200
/** A size below makes pieces without sense, by the hundred thousand. */
const leastSize = 20

export const textSplitter = defineNode({
  types: [
    "CharacterTextSplitter",
    "ElemCharacterTextSplitter",
    "MarkdownTextSplitter",
    "RecursiveCharacterTextSplitter"
  ],
  fields: Schema.Struct({
    chunk_size: Optional(LooseNumber),
    chunk_overlap: Optional(LooseNumber),
    /** One, as text, or a list; line ends are written "\\n". */
    separators: Optional(Schema.Union(Schema.String, Schema.Array(Schema.String))),
    separator: Optional(Schema.Union(Schema.String, Schema.Array(Schema.String)))
  }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const sources = yield* wiredAll(node, "documents", "Documents")
      if (sources.length === 0) {
        return yield* fault(`node ${named(node)} needs documents connected to "documents"`, node)
      }
      const chunkSize = Math.max(leastSize, Math.floor(numberOr(fields.chunk_size, usualSize)))
      const overlap = Math.floor(numberOr(fields.chunk_overlap, usualOverlap))
      const chunkOverlap = Math.min(Math.max(0, overlap), Math.floor(chunkSize / 2))
      const separators = separatorsOf(fields.separators ?? fields.separator)
      const load = yield* keptOnce(
        Effect.map(Effect.all(sources.map((source) => source.load)), (docs) =>
          splitDocs(docs.flat(), {
            chunkSize,
            chunkOverlap,
            ...(separators.length === 0 ? {} : { separators })
          })
        )
      )
      return { _tag: "Documents", load }
    })
})

const decodeList = Schema.decodeUnknownOption(Schema.parseJson(Schema.Array(Schema.String)))

/** A separator may be made of blanks alone, so nothing is trimmed. A JSON list may stand as text. */
const separatorsOf = (value: string | ReadonlyArray<string> | null | undefined): ReadonlyArray<string> => {
  if (value === undefined || value === null || value === "") return []
  if (typeof value !== "string") return value
  const list = decodeList(value)
  return list._tag === "Some" ? list.value : [value]
}

/**
 * Vector and keyword stores, whichever product the node names: one search over the documents connected to it, or
 * over the app's own files where there are none. The index is made when it is first needed, then kept.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Doc } from "../../../knowledge/Documents.ts"
import type { Passage } from "../../../protocol/RunEvent.ts"
import { skillFailed } from "../chain.ts"
import { LooseNumber, numberOr } from "../fields.ts"
import { keptOnce } from "../keptOnce.ts"
import { defineNode, Optional, wiredAll } from "../NodeType.ts"

/** Passages of one search where the node says nothing. */
const usualLimit = 4
const maxLimit = 100

const SearchKwargs = Schema.Struct({ k: Optional(LooseNumber) })
const decodeKwargs = Schema.decodeUnknownOption(Schema.Union(SearchKwargs, Schema.parseJson(SearchKwargs)))

export const store = defineNode({
  types: [
    "Chroma",
    "ElasticKeywordsSearch",
    "ElasticVectorSearch",
    "FAISS",
    "Milvus",
    "MilvusWithPermissionCheck",
    "ElasticsearchWithPermissionCheck",
    "MongoDBAtlasVectorSearch",
    "Pinecone",
    "Qdrant",
    "SupabaseVectorStore",
    "Weaviate"
  ],
  fields: Schema.Struct({
    /** As JSON text: `{"k": 4}`. */
    search_kwargs: Optional(Schema.Unknown)
  }),
  build: (fields, node, bench) =>
    Effect.gen(function* () {
      const sources = yield* wiredAll(node, "documents", "Documents")
      const limit = limitOf(fields.search_kwargs)
      if (sources.length === 0) {
        return {
          _tag: "Retriever",
          search: (text, userId) => bench.library.search({ text, flowId: bench.flowId, userId, limit })
        }
      }
      const indexed = yield* keptOnce(
        Effect.gen(function* () {
          const docs = (yield* Effect.all(sources.map((source) => source.load))).flat()
          return { docs, index: yield* bench.retrieval.index(docs) }
        }).pipe(Effect.catchTag("DocumentFailed", ({ reason }) => Effect.fail(skillFailed(reason))))
      )
      return {
        _tag: "Retriever",
        search: (query) =>
          Effect.gen(function* () {
            const { docs, index } = yield* indexed
            const found = yield* index.search(query, limit)
            return found.length > 0 ? found : docs.slice(0, limit).map(unranked)
          })
      }
    })
})

/**
 * A question that shares no word with the documents ("What is it about?") still is about them: they were given
 * with it. It gets their beginning, as the nearest of vectors would always be some.
 */
const unranked = ({ text, fileId, fileName, page, boxes, url }: Doc): Passage => ({
  text,
  fileId,
  fileName,
  page,
  score: 0,
  boxes,
  ...(url === null ? {} : { url })
})

const limitOf = (kwargs: unknown): number => {
  const decoded = decodeKwargs(kwargs)
  const k = decoded._tag === "Some" ? numberOr(decoded.value.k, usualLimit) : usualLimit
  return Math.min(maxLimit, Math.max(1, Math.floor(k)))
}

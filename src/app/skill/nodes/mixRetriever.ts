/** The passages of a vector store and a keyword store together. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Passage } from "../../../protocol/RunEvent.ts"
import { distinct } from "../chain.ts"
import { firstText, LooseText } from "../fields.ts"
import { defineNode, needed, Optional } from "../NodeType.ts"

export const mixRetriever = defineNode({
  types: ["MixEsVectorRetriever"],
  fields: Schema.Struct({
    /** "keyword_front" (as when it is left out), "vector_front" or "mix": one of each in turn. */
    combine_strategy: Optional(LooseText)
  }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const byVector = yield* needed(node, "vector_retriever", "Retriever")
      const byWord = yield* needed(node, "keyword_retriever", "Retriever")
      const strategy = firstText(fields.combine_strategy)
      return {
        _tag: "Retriever",
        search: (query, userId) =>
          Effect.map(
            Effect.all([byWord.search(query, userId), byVector.search(query, userId)], { concurrency: 2 }),
            ([words, vectors]) => {
              if (strategy === "vector_front") return distinct([...vectors, ...words])
              return distinct(strategy === "mix" ? inTurn(words, vectors) : [...words, ...vectors])
            }
          )
      }
    })
})

const inTurn = (words: ReadonlyArray<Passage>, vectors: ReadonlyArray<Passage>): ReadonlyArray<Passage> =>
  Array.from({ length: Math.max(words.length, vectors.length) }, (_, at) =>
    [words[at], vectors[at]].filter((passage) => passage !== undefined)
  ).flat()

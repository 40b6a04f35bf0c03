/** Search by words and, where an embedding model is configured, by meaning; see `Retrieval.ts`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Embeddings, type EmbeddingsService } from "../model/Embeddings.ts"
import type { Passage } from "../protocol/RunEvent.ts"
import { type Doc, DocumentFailed } from "./Documents.ts"
import { Retrieval, type Retriever } from "./Retrieval.ts"
import { buildIndex, type Found } from "./SearchIndex.ts"
import { type Near, vectorIndex } from "./vectors.ts"

const maxPieces = 20_000
const maxChars = 16_000_000
/** What each of the two ways brings to the fusion. */
const candidates = 20
/** A person waits for the answer: words alone are better than more patience. */
const questionTimeout = "10 seconds"
/** The usual constant of reciprocal rank fusion: how little the first places count more than the next. */
const rankConstant = 60

export const layer: Layer.Layer<Retrieval, never, Embeddings> = Layer.effect(
  Retrieval,
  Effect.map(Embeddings, (embeddings) =>
    Retrieval.of({
      index: (docs) =>
        Effect.gen(function* () {
          const chars = docs.reduce((sum, doc) => sum + doc.text.length, 0)
          if (docs.length > maxPieces || chars > maxChars) {
            return yield* new DocumentFailed({
              reason:
                `The documents are too many for one search: ${docs.length.toLocaleString("en")} pieces and ` +
                `${chars.toLocaleString("en")} characters, where ${maxPieces.toLocaleString("en")} and ` +
                `${maxChars.toLocaleString("en")} are the limit. Use fewer files or larger pieces.`
            })
          }
          const words = yield* buildIndex(docs)
          const meaning = yield* meaningOf(docs, embeddings)
          const retriever: Retriever = {
            search: (question, limit) =>
              Effect.gen(function* () {
                const wanted = Math.max(limit, candidates)
                const byWords = words.search(question, wanted)
                const byMeaning = meaning === null ? null : yield* meaning(question, wanted)
                return (byMeaning === null ? scored(byWords) : fused(byWords, byMeaning)).slice(0, limit)
              })
          }
          return retriever
        })
    })
  )
)

type ByMeaning = (question: string, limit: number) => Effect.Effect<ReadonlyArray<Near<Doc>> | null>

/** null, now or at a question, where words alone decide. */
const meaningOf = (
  docs: ReadonlyArray<Doc>,
  { embed, model }: EmbeddingsService
): Effect.Effect<ByMeaning | null> => {
  if (model === null || docs.length === 0) return Effect.succeed(null)
  const wordsAlone = (error: { readonly reason: string }) =>
    Effect.logWarning("no embeddings: the documents are searched by words alone").pipe(
      Effect.annotateLogs({ model, reason: error.reason }),
      Effect.as(null)
    )
  return embed(docs.map(({ heading, text }) => (heading === "" ? text : `${heading}\n${text}`))).pipe(
    Effect.map((vectors): ByMeaning => {
      const index = vectorIndex(docs, vectors)
      return (question, limit) =>
        question.trim() === ""
          ? Effect.succeed([])
          : embed([question]).pipe(
              Effect.timeoutFail({
                duration: questionTimeout,
                onTimeout: () => ({ reason: `no answer within ${questionTimeout}` })
              }),
              Effect.map(([vector]) => (vector === undefined ? null : index.nearest(vector, limit))),
              Effect.catchAll(wordsAlone)
            )
    }),
    Effect.catchAll(wordsAlone)
  )
}

/** How much of the question the best one holds, and of the others how good they are beside it. */
const scored = (found: ReadonlyArray<Found<Doc>>): ReadonlyArray<Passage> => {
  const [best] = found
  if (best === undefined) return []
  return found.map(({ passage, score }) => passageOf(passage, best.coverage * (score / best.score)))
}

/** 1 is what both put first. */
const fused = (
  byWords: ReadonlyArray<Found<Doc>>,
  byMeaning: ReadonlyArray<Near<Doc>>
): ReadonlyArray<Passage> => {
  const sums = new Map<Doc, number>()
  for (const list of [byWords, byMeaning]) {
    list.forEach(({ passage }, at) => {
      sums.set(passage, (sums.get(passage) ?? 0) + (rankConstant + 1) / (rankConstant + 1 + at) / 2)
    })
  }
  return [...sums]
    .sort(([, left], [, right]) => right - left)
    .map(([passage, score]) => passageOf(passage, score))
}

const passageOf = (doc: Doc, score: number): Passage => ({
  text: doc.text,
  fileId: doc.fileId,
  fileName: doc.fileName,
  page: doc.page,
  score: Math.round(Math.min(1, score) * 10_000) / 10_000,
  ...(doc.boxes.length === 0 ? {} : { boxes: doc.boxes }),
  ...(doc.url === null ? {} : { url: doc.url })
})

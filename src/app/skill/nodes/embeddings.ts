/** Embedding models. Which one makes the vectors is configured for the whole server. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineNode } from "../NodeType.ts"

export const embeddings = defineNode({
  types: [
    "BGEZhEmbedding",
    "BishengEmbedding",
    "CohereEmbeddings",
    "CustomHostEmbedding",
    "DashScopeEmbeddings",
    "GTEEmbedding",
    "HostEmbeddings",
    "HuggingFaceEmbeddings",
    "JINAEmbedding",
    "ME5Embedding",
    "OllamaEmbeddings",
    "OpenAIEmbeddings",
    "OpenAIProxyEmbedding",
    "QianfanEmbeddingsEndpoint",
    "WenxinEmbeddings"
  ],
  fields: Schema.Struct({}),
  build: () => Effect.succeed({ _tag: "Embeddings" })
})

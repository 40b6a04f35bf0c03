/** Finds passages for the question and answers it from them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { makeChain } from "../chain.ts"
import { booleanOr, LooseBoolean } from "../fields.ts"
import { defineNode, needed, Optional } from "../NodeType.ts"
import { retrieve } from "../retrieve.ts"
import { withoutSources } from "../withoutSources.ts"

export const retrievalQa = defineNode({
  types: ["RetrievalQA", "RetrievalQAWithSourcesChain"],
  fields: Schema.Struct({
    input_key: Optional(Schema.String),
    output_key: Optional(Schema.String),
    return_source_documents: Optional(LooseBoolean)
  }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const retriever = yield* needed(node, "retriever", "Retriever")
      const combine = yield* needed(node, "combine_documents_chain", "Combine")
      const show = withoutSources(!booleanOr(fields.return_source_documents, true))
      return yield* makeChain(node, {
        inputKey: fields.input_key || "query",
        outputKey: fields.output_key || "result",
        answer: (question) =>
          show(retrieve(retriever, question, (passages) => combine.answer(question, passages)))
      })
    })
})

/** The passages found for a question, as they stand: for reports and for the chains that follow. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Deltas, noUsage, type RunEvent } from "../../../protocol/RunEvent.ts"
import { answered, makeChain } from "../chain.ts"
import { defineNode, needed, Optional } from "../NodeType.ts"
import { retrieve } from "../retrieve.ts"

export const retrievalChain = defineNode({
  types: ["RetrievalChain"],
  fields: Schema.Struct({ input_key: Optional(Schema.String), output_key: Optional(Schema.String) }),
  build: (fields, node) =>
    Effect.flatMap(needed(node, "retriever", "Retriever"), (retriever) =>
      makeChain(node, {
        inputKey: fields.input_key || "query",
        outputKey: fields.output_key || "result",
        answer: (question) =>
          retrieve(retriever, question, (passages) =>
            Stream.fromEffect(
              Effect.map(Deltas, (sink): RunEvent => {
                const text = passages.map((passage) => passage.text).join("\n\n") || "No passage was found."
                sink.text(text)
                return answered(text, noUsage, passages)
              })
            )
          )
      })
    )
})

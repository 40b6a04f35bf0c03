/** Retrieved passages as a variable of the node that found them, for the nodes that tell what it found. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Json } from "../../protocol/frames.ts"
import type { Passage } from "../../protocol/RunEvent.ts"

/** No reference of the editor can name it. */
const key = "$retrieved_result$"

const Passages = Schema.Array(
  Schema.Struct({
    text: Schema.String,
    fileId: Schema.String,
    fileName: Schema.String,
    page: Schema.NullOr(Schema.Number),
    score: Schema.Number,
    boxes: Schema.optionalWith(
      Schema.Array(
        Schema.Struct({
          page: Schema.Number,
          box: Schema.Tuple(Schema.Number, Schema.Number, Schema.Number, Schema.Number)
        })
      ),
      { exact: true }
    ),
    url: Schema.optionalWith(Schema.String, { exact: true })
  })
)

const decode = Schema.decodeUnknownEither(Passages)
const encode = Schema.encodeSync(Passages)

export const asVariable = (passages: ReadonlyArray<Passage>): Readonly<Record<string, Json>> => ({
  [key]: encode(passages).map((passage) => ({
    ...passage,
    boxes: [...(passage.boxes ?? [])].map((one) => ({ ...one }))
  }))
})

export const passagesOf = (variables: Readonly<Record<string, Json>> | undefined): ReadonlyArray<Passage> =>
  Either.getOrElse(decode(variables?.[key]), () => [])

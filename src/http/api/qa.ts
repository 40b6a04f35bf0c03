import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"

const numberText = Schema.NumberFromString
const isId = (value: number): boolean => Number.isSafeInteger(value) && value > 0
const message = () => "must be a message's id"

const queryMessageId = numberText.pipe(
  Schema.filter(isId, { message, jsonSchema: { type: "integer", minimum: 1 } })
)

/** Some clients keep ids as text. */
const MessageId = Schema.Union(Schema.Number, numberText).pipe(
  Schema.filter(isId, { message, jsonSchema: { type: "integer", minimum: 1 } })
)

const Key = Schema.String.pipe(Schema.maxLength(1_000))

const Keys = Schema.Union(
  Schema.String.pipe(Schema.maxLength(20_000)).annotations({ description: 'separated by ";"' }),
  Schema.Array(Key).pipe(Schema.maxItems(1_000))
)

const Source = Schema.Struct({
  file_id: Schema.String,
  source: Schema.String.annotations({
    description: "the file's name, or a page's title; \"\" without right"
  }),
  right: Schema.Boolean.annotations({ description: "whether you may see where it comes from" }),
  score: Schema.Number.annotations({ description: "the share of the keys that the passage has, 0 to 1" }),
  chunk: Schema.String.annotations({ description: 'the passage; "" without right' }),
  page: Schema.NullOr(Schema.Int).annotations({ description: "counts from 1" }),
  chunk_bboxes: Schema.Array(
    Schema.Struct({
      page: Schema.Int,
      bbox: Schema.Array(Schema.Number).annotations({ description: "left, top, right, bottom" })
    })
  ),
  source_url: Schema.String,
  original_url: Schema.String,
  file_url: Schema.String.annotations({
    description: 'a signed link to the file, or the page\'s address; or ""'
  })
}).annotations({ identifier: "Source" })

export const qa = HttpApiGroup.make("qa")
  .add(
    HttpApiEndpoint.get("keyword", "/qa/keyword")
      .setUrlParams(Schema.Struct({ message_id: queryMessageId }))
      .addSuccess(Envelope(Schema.Array(Schema.String)))
      .addError(refusal(403, "this chat is not yours"))
      .addError(refusal(404, "there is no such message"))
      .annotate(OpenApi.Description, "What an answer is about: its most telling words, best first.")
  )
  .add(
    HttpApiEndpoint.post("chunk", "/qa/chunk")
      .setPayload(Schema.Struct({ message_id: MessageId, keys: Schema.optional(Schema.NullOr(Keys)) }))
      .addSuccess(Envelope(Schema.Array(Source)))
      .addError(refusal(403, "this chat is not yours"))
      .addError(refusal(404, "there is no such message"))
      .annotate(
        OpenApi.Description,
        "The passages that an answer rests on, those of a file together, best match first. A passage of a file that is gone, or that you may not read, is there without its text and links (`right: false`)."
      )
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "What answers rest on")

/** What is refused with a real HTTP status, and how the API's definition speaks of it. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import { StorageError } from "../storage/StorageError.ts"
import type { Details } from "./envelope.ts"

export type RefusalStatus = 401 | 403 | 404 | 410 | 413 | 422 | 429 | 500 | 503

/** `text` tells people what to do. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly status: RefusalStatus
  readonly text: string
  readonly data?: Details
  readonly retryAfterSeconds?: number
}> {}

export const notFound = (what: string) =>
  new Refused({ status: 404, text: `this ${what} does not exist or was deleted` })

export const notYours = (what: string) => new Refused({ status: 403, text: `this ${what} is not yours` })

export const invalid = (text: string) => new Refused({ status: 422, text })

const toBody = ({ status, text, data }: Refused) => ({
  status_code: status,
  status_message: text,
  data: data ?? null
})

export const toResponse = (refused: Refused): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson(toBody(refused), {
    status: refused.status,
    ...(refused.retryAfterSeconds === undefined
      ? {}
      : { headers: { "retry-after": `${refused.retryAfterSeconds}` } })
  })

const Body = Schema.Struct({
  status_code: Schema.Int,
  status_message: Schema.String.annotations({ description: "what is wrong and what to do, for people" }),
  data: Schema.NullOr(
    Schema.Record({
      key: Schema.String,
      value: Schema.Union(Schema.String, Schema.Number, Schema.Boolean, Schema.Null)
    })
  )
}).annotations({ identifier: "Refusal" })

/** For definitions: this endpoint may answer with this status. */
export const refusal = (status: RefusalStatus, description: string) =>
  Schema.transform(
    Body,
    Schema.declare((value): value is Refused => value instanceof Refused && value.status === status),
    {
      strict: true,
      decode: ({ status_message, data }) =>
        new Refused({ status, text: status_message, ...(data === null ? {} : { data }) }),
      encode: toBody
    }
  ).annotations({ ...HttpApiSchema.annotations({ status }), description })

/** A failing database is a 500 like any defect; the cause is for the log alone (failures.ts). */
export const storageFailure = Schema.transform(
  Body,
  Schema.declare((value): value is StorageError => value instanceof StorageError),
  {
    strict: true,
    decode: ({ status_message }) => new StorageError({ operation: "http", cause: status_message }),
    encode: () => toBody(new Refused({ status: 500, text: "something went wrong in the server" }))
  }
).annotations({
  ...HttpApiSchema.annotations({ status: 500 }),
  description: "something went wrong in the server; `data.error_id` is in its log"
})

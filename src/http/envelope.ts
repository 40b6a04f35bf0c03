/** The one shape of every REST answer: `{status_code, status_message, data}`. */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Schema from "effect/Schema"
import { type ProtocolError, tell } from "../protocol/errors.ts"

/** What an endpoint answers when all is well. */
export const Envelope = <A, I, R>(data: Schema.Schema<A, I, R>) =>
  Schema.Struct({
    status_code: Schema.Literal(200),
    status_message: Schema.Literal("SUCCESS"),
    data
  })

export interface Success<A> {
  readonly status_code: 200
  readonly status_message: "SUCCESS"
  readonly data: A
}

export const ok = <A>(data: A): Success<A> => ({ status_code: 200, status_message: "SUCCESS", data })

export const done = ok(null)

export type Details = Readonly<Record<string, string | number | boolean | null>>

/** A business error: HTTP 200, as Bisheng's clients expect, with a status code of its own. */
export const business = (told: {
  readonly status_code: number
  readonly status_message: string
  readonly data: Details | null
}): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson({
    status_code: told.status_code,
    status_message: told.status_message,
    data: told.data
  })

/** What a socket is told by an error frame. */
export const businessOf = (error: ProtocolError): HttpServerResponse.HttpServerResponse =>
  business(tell(error))

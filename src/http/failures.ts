/**
 * Whatever went wrong, as an answer in the envelope. Nothing of the inside is told: of a defect the client gets
 * an id under which the log has the cause.
 */
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import { RequestError, RouteNotFound } from "@effect/platform/HttpServerError"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { loggedDefect } from "../run/defects.ts"
import { invalid, Refused, toResponse } from "./Refused.ts"

/** Complaints quote the value; a long one is cut. */
const maxText = 300

export const answerFailure = (cause: Cause.Cause<unknown>): Effect.Effect<HttpServerResponse> => {
  // The client has gone; there is nobody to answer.
  if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
  const known = refusalOf(Cause.squash(cause))
  if (known !== null) return Effect.succeed(toResponse(known))
  return Effect.map(loggedDefect("http", cause), ({ errorId }) =>
    toResponse(
      new Refused({
        status: 500,
        text: "something went wrong in the server",
        data: { error_id: errorId }
      })
    )
  )
}

const refusalOf = (error: unknown): Refused | null => {
  if (error instanceof Refused) return error
  if (error instanceof HttpApiDecodeError) return invalid(complaint(error))
  if (error instanceof RouteNotFound) return new Refused({ status: 404, text: "there is nothing here" })
  if (error instanceof RequestError && error.reason === "Decode") return invalid("the body: is not JSON")
  return null
}

/** "name: is missing": where and what, in one line. */
const complaint = ({ issues }: HttpApiDecodeError): string => {
  const issue = issues[0]
  if (issue === undefined) return "the body: is of the wrong shape"
  const text = issue.message.replace(/\s+/g, " ")
  const short = text.length <= maxText ? text : `${text.slice(0, maxText)}…`
  const where = issue.path.map(String).join(".")
  return where === "" ? `the body: ${short}` : `${where}: ${short}`
}

/** What a body may be: told by its head, and by how deep its JSON is, before anything is done with it. */
import type { RequestError } from "@effect/platform/HttpServerError"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Tokens } from "../account/Tokens.ts"
import { tokenOf } from "../account/tokenOf.ts"
import { invalid, Refused } from "./Refused.ts"
import { pathOf, queryOf } from "./request.ts"

const usualJsonBytes = 1024 * 1024

/** Graphs, and files full of them: Bisheng's own templates weigh 25 KB each, large apps megabytes. */
const graphBytes = 16 * 1024 * 1024

const holdsGraphs = (path: string): boolean => /^\/api\/v1\/(flows|build)\//.test(`${path}/`)

/** Bodies are read before the endpoint asks who sends them: what strangers may send stays small. */
export const maxJsonBytes = (request: HttpServerRequest): Effect.Effect<number, never, Tokens> =>
  Effect.gen(function* () {
    if (!holdsGraphs(pathOf(request)) || !mayExceed(request)) return usualJsonBytes
    const token = tokenOf(request.headers, queryOf(request))
    if (Option.isNone(token)) return usualJsonBytes
    return yield* Effect.match((yield* Tokens).verify(token.value), {
      onFailure: () => usualJsonBytes,
      onSuccess: () => graphBytes
    })
  })

/** Most bodies say that they are small; nobody needs to be asked for then. */
const mayExceed = ({ headers }: HttpServerRequest): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > usualJsonBytes

/** What a form may weigh beside its file. */
const formBytes = 1024 * 1024

/** Deeper than anybody's graph. Some of what handles values further in goes by recursion, and would overflow. */
const maxDepth = 64

const isUpload = (request: HttpServerRequest): boolean =>
  /\/upload\/|\/report\/template\//.test(pathOf(request))

const hasBody = ({ headers }: HttpServerRequest): boolean =>
  Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined

const tooLarge = (what: string, limitBytes: number, hint = "") =>
  new Refused({
    status: 413,
    text: `the ${what} is larger than ${limitBytes} bytes${hint}`,
    data: { limit_bytes: limitBytes }
  })

export const fileTooLarge = (limitBytes: number) => tooLarge("file", limitBytes)

export const notAForm = invalid('send the file as multipart/form-data, in a field "file"')

/**
 * Null when it may be read. A body without `Content-Length` is cut while it is read. Other types than JSON are
 * refused because browsers send those to strangers without asking.
 */
export const refusedBody = (
  request: HttpServerRequest,
  limits: { readonly maxUploadBytes: number; readonly maxJsonBytes: number }
): Refused | null => {
  const length = Number(request.headers["content-length"] ?? 0)
  const type = request.headers["content-type"]?.trim().toLowerCase()
  if (isUpload(request)) {
    return length > limits.maxUploadBytes + formBytes ? fileTooLarge(limits.maxUploadBytes) : null
  }
  if (!hasBody(request)) return null
  if (length > limits.maxJsonBytes) {
    const isStranger = holdsGraphs(pathOf(request)) && limits.maxJsonBytes < graphBytes
    return tooLarge("body", limits.maxJsonBytes, isStranger ? `; sign in to send up to ${graphBytes}` : "")
  }
  return type === undefined || type.split(";")[0]?.trim() === "application/json"
    ? null
    : invalid("send JSON, with content-type: application/json")
}

/** Reads the JSON, which the request keeps for whoever asks for it later. */
export const checkJson = (request: HttpServerRequest): Effect.Effect<void, Refused | RequestError> =>
  !hasBody(request) || isUpload(request)
    ? Effect.void
    : Effect.flatMap(request.json, (value) =>
        isShallow(value)
          ? Effect.void
          : Effect.fail(invalid(`the body: is nested deeper than ${maxDepth} levels`))
      )

const isShallow = (value: unknown): boolean => {
  let level: ReadonlyArray<unknown> = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return false
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []))
  }
  return true
}

/**
 * Browsers and other origins. Pages of the listed origins (ALLOWED_ORIGINS) may call the API; any other page may
 * not change anything with the cookie that its visitor happens to have here.
 */
import * as Headers from "@effect/platform/Headers"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { tokenCookie } from "../account/Tokens.ts"
import { Refused } from "./Refused.ts"

const safeMethods: ReadonlyArray<string> = ["GET", "HEAD", "OPTIONS"]

const isListed = (origin: string, allowed: ReadonlyArray<string>): boolean =>
  allowed.includes("*") || allowed.includes(origin)

export const refusedOrigin = (
  { method, headers, cookies }: HttpServerRequest,
  allowed: ReadonlyArray<string>
): Refused | null => {
  const origin = headers["origin"]
  if (origin === undefined || safeMethods.includes(method) || !(tokenCookie in cookies)) return null
  if (isListed(origin, allowed) || URL.parse(origin)?.host === headers["host"]) return null
  return new Refused({ status: 403, text: "this origin is not allowed (ALLOWED_ORIGINS)" })
}

const none = Headers.empty

/** What tells a browser that a listed origin may read the answer. */
export const corsHeaders = (
  { headers }: HttpServerRequest,
  allowed: ReadonlyArray<string>
): Headers.Headers => {
  const origin = headers["origin"]
  if (allowed.length === 0) return none
  if (origin === undefined || !isListed(origin, allowed)) return Headers.fromInput({ vary: "Origin" })
  return Headers.fromInput({
    vary: "Origin",
    // To everybody only without the cookie: "*" lets pages in that bring a token of their own.
    "access-control-allow-origin": allowed.includes(origin) ? origin : "*",
    ...(allowed.includes(origin) ? { "access-control-allow-credentials": "true" } : {}),
    "access-control-expose-headers": "Retry-After"
  })
}

/** The question a browser asks before a request that is not simple; null when this is not one. */
export const preflight = (
  request: HttpServerRequest,
  allowed: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse | null => {
  if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
    return null
  }
  const cors = corsHeaders(request, allowed)
  return HttpServerResponse.empty({
    status: 204,
    headers:
      cors["access-control-allow-origin"] === undefined
        ? cors
        : Headers.setAll(cors, {
            "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
            "access-control-allow-headers": "Authorization, Content-Type, Last-Event-ID",
            "access-control-max-age": "600"
          })
  })
}

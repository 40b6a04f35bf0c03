/** Headers that keep browsers from doing with our answers what they were not meant for. */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"

const always = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer"
}

/** Own scripts and pictures alone: what a model writes into an answer loads nothing from elsewhere. */
const pagePolicy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'"
]

/** The documentation of the API is one file with its script in it. */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'"
]

/** Only our own pages and those of listed origins may show ours in a frame. */
const ancestors = (allowed: ReadonlyArray<string>): string =>
  ["frame-ancestors 'self'", ...allowed.filter((origin) => URL.parse(origin)?.origin === origin)].join(" ")

export const secured = (
  response: HttpServerResponse.HttpServerResponse,
  kind: "api" | "docs" | "page",
  allowed: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse => {
  if (kind === "api") {
    return HttpServerResponse.setHeaders(response, { ...always, "cache-control": "no-store" })
  }
  const policy = kind === "docs" ? docsPolicy : pagePolicy
  return HttpServerResponse.setHeaders(response, {
    ...always,
    "content-security-policy": [...policy, ancestors(allowed)].join("; ")
  })
}

/** What went wrong with a request, in words for the user, and whether to try again. */
import type { ModelError } from "../LanguageModel.ts"
import { field } from "./Answer.ts"
import type { ExchangeFailure } from "./exchange.ts"

export interface Explained {
  readonly kind: ModelError["kind"]
  readonly reason: string
  readonly retry: "no" | "now" | "later"
  /** The server's own wish, if it named one. */
  readonly retryAfterMillis: number | null
}

const maxQuotedChars = 300

/** Servers repeat what they were sent: no secret of ours, and nothing that looks like one, is repeated further. */
export const redactor = (secrets: ReadonlyArray<string>) => {
  // Shorter ones ("x", for a server that wants no key) are no secrets, and would take every such letter away.
  const known = secrets.filter((secret) => secret.length >= 4)
  return (text: string): string =>
    known
      .reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text)
      .replace(/\b(bearer|basic)\s+[^\s"',;]{8,}/gi, "$1 [redacted]")
      .replace(/\bsk-[\w*.-]{6,}/g, "[redacted]")
}

/** The message inside the usual shapes of error bodies, or the body itself, on one line and short. */
export const quoteOf = (body: unknown, redact: (text: string) => string): string => {
  const parsed = typeof body === "string" ? parseOr(body) : body
  const inner = field(parsed, "error") ?? parsed
  const message = field(inner, "message") ?? field(parsed, "detail") ?? inner
  const text = typeof message === "string" ? message : (JSON.stringify(message) ?? "")
  const line = redact(text.replace(/<[^>]*>/g, " "))
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
  return line.length > maxQuotedChars ? `${line.slice(0, maxQuotedChars - 1).trimEnd()}…` : line
}

const parseOr = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Seconds, or a date. */
export const retryAfterMillis = (value: string | null, now: number): number | null => {
  if (value === null || value.trim() === "") return null
  const seconds = Number(value)
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - now
  return Number.isFinite(millis) ? Math.max(0, millis) : null
}

export const explain = (
  failure: ExchangeFailure,
  limits: { readonly firstByteMillis: number; readonly chunkMillis: number },
  redact: (text: string) => string,
  now: number
): Explained => {
  const explained = (
    kind: Explained["kind"],
    reason: string,
    retry: Explained["retry"] = "no",
    after: number | null = null
  ): Explained => ({
    kind,
    reason,
    retry: failure.untouched ? retry : "no",
    retryAfterMillis: after
  })
  switch (failure._tag) {
    case "Connection":
      return explained(
        "unreachable",
        `Cannot reach the model server (${redact(codeOf(failure.cause))}). Check that it runs and that OPENAI_BASE_URL is right.`,
        failure.staleSocket ? "now" : "later"
      )
    case "Timeout":
      return explained(
        "timeout",
        failure.waitingFor === "first byte"
          ? `The model server did not begin to answer within ${seconds(limits.firstByteMillis)}. Try again later.`
          : `The model server stopped in the middle of its answer for ${seconds(limits.chunkMillis)}. Try again.`
      )
    case "Cut":
      return explained(
        "cut",
        "The connection to the model server broke before the answer was complete. Try again.",
        "later"
      )
    case "Malformed":
      return explained("malformed", `The model server sent ${failure.what}.`)
    case "Upstream":
      return explained("refused", `The model server reports an error${colon(quoteOf(failure.error, redact))}`)
    case "Status": {
      const after = retryAfterMillis(failure.retryAfter, now)
      const said = colon(quoteOf(failure.body, redact))
      const status = failure.status
      if (status === 429) {
        return explained(
          "rate_limited",
          `The model server takes no more requests now (429)${said}`,
          "later",
          after
        )
      }
      if (status === 401 || status === 403) {
        return explained("refused", `The model server does not accept OPENAI_API_KEY (${status})${said}`)
      }
      if (status === 404) {
        return explained(
          "refused",
          `The model server has no such model or address (404; see OPENAI_MODEL and OPENAI_BASE_URL)${said}`
        )
      }
      if (status >= 300 && status < 400) {
        return explained(
          "refused",
          `The model server has moved (${status}): set OPENAI_BASE_URL to its new address.`
        )
      }
      const again = status === 408 || status === 409 || status >= 500
      return explained(
        status >= 500 ? "unreachable" : status === 408 ? "timeout" : "refused",
        `The model server ${status >= 500 ? "failed" : "refused the request"} (${status})${said}`,
        again ? "later" : "no",
        after
      )
    }
  }
}

const colon = (text: string): string => (text === "" ? "." : `: ${text}`)

const seconds = (millis: number): string => `${millis / 1000} s`

const codeOf = (cause: Error): string => {
  const code = field(cause, "code")
  return typeof code === "string" ? code : cause.message
}

/** What went wrong with a remote service, in words for people, without its secrets. */
import { field } from "../../model/OpenAi/Answer.ts"
import { quoteOf } from "../../model/OpenAi/failure.ts"
import { RunFailed } from "../../protocol/errors.ts"
import { PrivateAddress } from "./reach.ts"

export type Trouble =
  | { readonly _tag: "Connection"; readonly cause: Error }
  | { readonly _tag: "Timeout"; readonly waitingFor: "first byte" | "next chunk" }
  | { readonly _tag: "Status"; readonly status: number; readonly body: string }
  /** The connection ended before the answer did. */
  | { readonly _tag: "Cut" }
  /** The service itself reports an error. */
  | { readonly _tag: "Upstream"; readonly error: unknown }
  | { readonly _tag: "Malformed"; readonly what: string }

export const remoteFailed = (reason: string): RunFailed => new RunFailed({ reason, kind: "assistant" })

export const inWords = (trouble: Trouble, seconds: number, redact: (text: string) => string): RunFailed =>
  remoteFailed(`The remote service ${said(trouble, seconds, redact)}`)

const said = (trouble: Trouble, seconds: number, redact: (text: string) => string): string => {
  switch (trouble._tag) {
    case "Connection":
      return trouble.cause instanceof PrivateAddress
        ? `is not reached: ${trouble.cause.message}.`
        : `cannot be reached (${redact(codeOf(trouble.cause))}). Try again later.`
    case "Timeout":
      return trouble.waitingFor === "first byte"
        ? `did not begin to answer within ${seconds} s. Try again later.`
        : `stopped in the middle of its answer for ${seconds} s. Try again.`
    case "Cut":
      return "broke off before its answer was complete. Try again."
    case "Malformed":
      return `sent ${trouble.what}.`
    case "Upstream":
      return `reports an error${colon(quoteOf(trouble.error, redact))}`
    case "Status":
      return statusWords(trouble.status, colon(quoteOf(trouble.body, redact)))
  }
}

const statusWords = (status: number, quote: string): string => {
  if (status === 401 || status === 403)
    return `does not accept this app's api_key or headers (${status})${quote}`
  if (status === 404) return `has no such model or address (404)${quote}`
  if (status === 429) return `takes no more requests now (429)${quote}`
  if (status >= 300 && status < 400) return `has moved (${status}): change the app's url.`
  return `${status >= 500 ? "failed" : "refused the request"} (${status})${quote}`
}

const colon = (text: string): string => (text === "" ? "." : `: ${text}`)

const codeOf = (cause: Error): string => {
  const code = field(cause, "code")
  return typeof code === "string" ? code : cause.message
}

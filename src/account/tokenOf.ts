/** Where a request may carry its token: `?t=`, the cookie, or `Authorization: Bearer`, in this order. */
import * as Option from "effect/Option"
import { tokenCookie } from "./Tokens.ts"

type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

export const tokenOf = (headers: Headers, query: URLSearchParams): Option.Option<string> =>
  Option.fromNullable(query.get("t") || cookieOf(headers["cookie"]) || bearerOf(headers["authorization"]))

type Value = string | ReadonlyArray<string> | undefined

const cookieOf = (header: Value): string | null => {
  if (typeof header !== "string") return null
  for (const part of header.split(";")) {
    const at = part.indexOf("=")
    if (at > 0 && part.slice(0, at).trim() === tokenCookie) return part.slice(at + 1).trim() || null
  }
  return null
}

const bearerOf = (header: Value): string | null =>
  typeof header === "string" ? (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? null) : null

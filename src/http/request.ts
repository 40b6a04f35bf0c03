/** What is read off a request's head. */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Option from "effect/Option"

export const pathOf = ({ url }: HttpServerRequest): string => url.split("?", 1)[0] ?? ""

export const queryOf = ({ url }: HttpServerRequest): URLSearchParams => {
  const at = url.indexOf("?")
  return new URLSearchParams(at === -1 ? "" : url.slice(at + 1))
}

/** The peer's address. What proxies claim of others is not believed. */
export const ipOf = (request: HttpServerRequest): string =>
  Option.getOrElse(request.remoteAddress, () => "").slice(0, 64)

/** Whether the client came by TLS; a proxy in front of us says so. */
export const isSecure = ({ headers }: HttpServerRequest): boolean =>
  headers["x-forwarded-proto"]?.split(",")[0]?.trim().toLowerCase() === "https"

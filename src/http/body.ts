/** What a body may be, before anything reads it. */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { invalid, Refused } from "./Refused.ts"
import { pathOf } from "./request.ts"

export const maxJsonBytes = 1024 * 1024

const isUpload = (request: HttpServerRequest): boolean => pathOf(request).includes("/upload/")

/**
 * Null when it may be read. A body without `Content-Length` is cut while it is read. Other types than JSON are
 * refused because browsers send those to strangers without asking.
 */
export const refusedBody = (request: HttpServerRequest): Refused | null => {
  const { headers } = request
  const length = Number(headers["content-length"] ?? 0)
  const hasBody = length > 0 || headers["transfer-encoding"] !== undefined
  if (!hasBody || isUpload(request)) return null
  if (length > maxJsonBytes) {
    return new Refused({
      status: 413,
      text: `the body is larger than ${maxJsonBytes} bytes`,
      data: { limit_bytes: maxJsonBytes }
    })
  }
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase()
  return type === undefined || type === "application/json"
    ? null
    : invalid("send JSON, with content-type: application/json")
}

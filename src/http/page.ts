/** The chat page as `npm run build` leaves it: hashed assets that never change, and one page for every address. */
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { packageRoot } from "../packageRoot.ts"
import { Refused, toResponse } from "./Refused.ts"
import { pathOf } from "./request.ts"

/** Where the built page lies. */
export class PageFolder extends Context.Reference<PageFolder>()("colloquy/http/PageFolder", {
  defaultValue: () => fileURLToPath(new URL("dist/web", packageRoot))
}) {}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8"
}

const notBuilt = HttpServerResponse.text(
  "The server runs, but its page is not built.\nRun `npm run build` (or start it by `npm start`), then reload.\n",
  { status: 503 }
)

const nothing = toResponse(new Refused({ status: 404, text: "there is nothing here" }))

/** The path's segments, or null for one that could lead out of the folder. */
export const segmentsOf = (path: string): ReadonlyArray<string> | null => {
  try {
    const segments = path
      .split("/")
      .map(decodeURIComponent)
      .filter((segment) => segment !== "")
    return segments.some((segment) => segment.startsWith(".") || /[/\\\0:]/.test(segment)) ? null : segments
  } catch {
    return null
  }
}

/** Vite puts a hash of the content into the names of what lies here. */
const isHashed = (segments: ReadonlyArray<string>): boolean => segments[0] === "assets" && segments.length > 1

const cacheForever = "public, max-age=31536000, immutable"

export const makePage = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* PageFolder

  const read = (segments: ReadonlyArray<string>) => {
    const path = join(folder, ...segments)
    return fs.stat(path).pipe(
      Effect.filterOrFail((info) => info.type === "File"),
      Effect.zipRight(fs.readFile(path)),
      Effect.option
    )
  }

  const answer = (segments: ReadonlyArray<string>, body: Uint8Array) =>
    HttpServerResponse.uint8Array(body, {
      contentType: types[extname(segments.at(-1) ?? "").toLowerCase()] ?? "application/octet-stream",
      headers: { "cache-control": isHashed(segments) ? cacheForever : "no-cache" }
    })

  const index = Effect.map(
    read(["index.html"]),
    Option.match({ onNone: () => notBuilt, onSome: (body) => answer(["index.html"], body) })
  )

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const segments = segmentsOf(pathOf(request))
    if (segments === null || (request.method !== "GET" && request.method !== "HEAD")) return nothing
    if (segments.length === 0) return yield* index
    const file = yield* read(segments)
    if (Option.isSome(file)) return answer(segments, file.value)
    // The page's own addresses: it finds out itself what to show.
    const wantsPage = request.headers["accept"]?.includes("text/html") ?? false
    return wantsPage && !isHashed(segments) ? yield* index : nothing
  })
})

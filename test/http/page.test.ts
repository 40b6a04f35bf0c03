import { connect } from "node:net"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { startHttp } from "./support.ts"

const html = { headers: { accept: "text/html,application/xhtml+xml" } }

const withPage = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const root = yield* fs.makeTempDirectoryScoped({ prefix: "colloquy-page-" })
  const folder = join(root, "web")
  yield* fs.makeDirectory(join(folder, "assets"), { recursive: true })
  yield* fs.writeFileString(join(folder, "index.html"), "<!doctype html><title>Colloquy</title>")
  yield* fs.writeFileString(join(folder, "mark.svg"), "<svg/>")
  yield* fs.writeFileString(join(folder, "assets", "main-a1b2c3.js"), "export {}")
  yield* fs.writeFileString(join(folder, ".secret"), "hidden")
  yield* fs.writeFileString(join(root, "outside.txt"), "outside")
  return yield* startHttp({ pageFolder: folder })
}).pipe(Effect.provide(NodeFileSystem.layer))

/** Sends a request line that no client library would. */
const raw = (port: number, target: string) =>
  Effect.async<string>((resume) => {
    let text = ""
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n`)
    })
    socket.setEncoding("utf8")
    socket.on("data", (chunk) => {
      text += chunk
    })
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(text)))
  })

it.scopedLive("the page is at the root, and at every address it makes for itself", () =>
  Effect.gen(function* () {
    const server = yield* withPage
    for (const path of ["//", "//index.html", "//chat/abc", "//apps/1?x=2"]) {
      const answer = yield* server.get(path, html)
      expect(answer.status, path).toBe(200)
      expect(answer.text).toContain("<title>Colloquy</title>")
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8")
      expect(answer.headers.get("cache-control")).toBe("no-cache")
    }
    expect((yield* server.ask("HEAD", "//", html)).status).toBe(200)
  })
)

it.scopedLive("assets have their types and, being named by their content, never change", () =>
  Effect.gen(function* () {
    const server = yield* withPage
    const script = yield* server.get("//assets/main-a1b2c3.js")
    expect(script.text).toBe("export {}")
    expect(script.headers.get("content-type")).toContain("text/javascript")
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable")
    const mark = yield* server.get("//mark.svg")
    expect(mark.headers.get("content-type")).toBe("image/svg+xml")
    expect(mark.headers.get("cache-control")).toBe("no-cache")
  })
)

it.scopedLive("an asset that is not there is 404, and so is anything a program asks for", () =>
  Effect.gen(function* () {
    const server = yield* withPage
    expect((yield* server.get("//assets/old-000.js", html)).status).toBe(404)
    expect((yield* server.get("//chat/abc", { headers: { accept: "application/json" } })).status).toBe(404)
    expect((yield* server.ask("POST", "//chat/abc", html)).status).toBe(404)
    expect((yield* server.get("//assets", html)).status).toBe(200)
  })
)

it.scopedLive("no address leads out of the page's folder", () =>
  Effect.gen(function* () {
    const server = yield* withPage
    for (const target of [
      "/../outside.txt",
      "/assets/../../outside.txt",
      "/%2e%2e/outside.txt",
      "/..%2foutside.txt",
      "/assets/..%2f..%2foutside.txt",
      "/..%5coutside.txt",
      "/%252e%252e/outside.txt",
      "//outside.txt",
      "/./../outside.txt",
      "/outside.txt%00.html",
      "/%00",
      "/.secret",
      "/assets/%2e%2e/.secret",
      "/%E0%A4%A",
      "http://evil.example/../outside.txt"
    ]) {
      const answer = yield* raw(server.port, target)
      expect(answer, target).toMatch(/^HTTP\/1\.1 (200|400|404) /)
      expect(answer, target).not.toMatch(/\r\n\r\n.*(outside|hidden)/s)
    }
  })
)

it.scopedLive("the page may load nothing from elsewhere, nor be framed elsewhere", () =>
  Effect.gen(function* () {
    const server = yield* withPage
    const { headers } = yield* server.get("//", html)
    const policy = headers.get("content-security-policy") ?? ""
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/script-src|unsafe-eval|https?:/)
    expect(policy).toContain("frame-ancestors 'self'")
    expect(headers.get("x-content-type-options")).toBe("nosniff")
    expect(headers.get("referrer-policy")).toBe("no-referrer")
  })
)

it.scopedLive("a platform whose origin is listed may frame the page", () =>
  Effect.gen(function* () {
    const server = yield* startHttp({
      settings: { allowedOrigins: ["https://platform.example", "not an origin; script-src *"] }
    })
    const { headers } = yield* server.get("//", html)
    expect(headers.get("content-security-policy")).toMatch(
      /frame-ancestors 'self' https:\/\/platform\.example$/
    )
  })
)

it.scopedLive("while the page is not built, its place says how to build it", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const answer = yield* server.get("//", html)
    expect(answer.status).toBe(503)
    expect(answer.headers.get("content-type")).toContain("text/plain")
    expect(answer.text).toContain("npm run build")
  })
)

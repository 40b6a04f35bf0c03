import { createServer, type IncomingMessage } from "node:http"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeBingSearch } from "../../../src/app/tools/bingSearch.ts"

const key = "0123456789abcdef".repeat(2)

/** A server in Bing's place, and what it was asked. */
const standIn = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const asked: Array<Pick<IncomingMessage, "url" | "headers">> = []
    const server = createServer((request, response) => {
      asked.push({ url: request.url ?? "", headers: request.headers })
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body)
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { asked, tool: makeBingSearch({ key, url: `http://127.0.0.1:${port}/v7.0/search`, count: 3 }) }
  })

const scope = { flowId: "f", userId: 1 }

it.scopedLive("asks Bing with the key and hands over pages with their addresses", () =>
  Effect.gen(function* () {
    const page = { name: "Pears", url: "https://example.com/pears", snippet: "Pears are green.", more: 1 }
    const { asked, tool } = yield* standIn(200, JSON.stringify({ webPages: { value: [page] } }))
    const found = yield* tool.run({ query: "green & fruit" }, scope)
    expect(asked[0]?.url).toBe("/v7.0/search?q=green+%26+fruit&count=3")
    expect(asked[0]?.headers["ocp-apim-subscription-key"]).toBe(key)
    expect(JSON.parse(found.output)).toEqual({
      pages: [{ name: "Pears", url: "https://example.com/pears", snippet: "Pears are green." }]
    })
    expect(found.passages).toMatchObject([
      { fileId: "", fileName: "Pears", url: "https://example.com/pears" }
    ])
  })
)

it.scopedLive("finds nothing where Bing has no page", () =>
  Effect.gen(function* () {
    const { tool } = yield* standIn(200, "{}")
    expect(yield* tool.run({ query: "x" }, scope)).toEqual({ output: '{"pages":[]}', passages: [] })
  })
)

it.scopedLive("says in words what went wrong, without the key", () =>
  Effect.gen(function* () {
    const reasonOf = (status: number, body: string, headers = {}) =>
      Effect.flatMap(standIn(status, body, headers), ({ tool }) =>
        Effect.map(Effect.flip(tool.run({ query: "x" }, scope)), ({ reason }) => reason)
      )
    expect(yield* reasonOf(401, key)).toBe("Bing could not be asked: it answered 401")
    expect(yield* reasonOf(200, "<html>")).toMatch(/^Bing could not be asked: it/)
    // Leads elsewhere: not followed, for the key would go along.
    expect(yield* reasonOf(302, "", { location: "http://127.0.0.1:1/" })).toMatch(
      /^Bing could not be asked: it/
    )
    const nowhere = makeBingSearch({ key, url: "http://127.0.0.1:1/", count: 1 })
    expect(yield* Effect.flip(nowhere.run({ query: "x" }, scope))).toMatchObject({
      reason: "Bing could not be asked: it cannot be reached"
    })
  })
)

import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Settings } from "../../src/config.ts"
import { Embeddings } from "../../src/model/Embeddings.ts"
import * as EmbeddingsLive from "../../src/model/EmbeddingsLive.ts"
import { embeddingServer, vectorOf } from "../support/embeddings.ts"
import { testSettings } from "../support/settings.ts"

const embed = (baseUrl: string, texts: ReadonlyArray<string>, apiKey = "") =>
  Effect.flatMap(Embeddings, (embeddings) => embeddings.embed(texts)).pipe(
    Effect.provide(
      EmbeddingsLive.layerWith({
        baseUrl,
        model: "words",
        apiKey: apiKey === "" ? Option.none() : Option.some(Redacted.make(apiKey)),
        retryDelay: "5 millis"
      })
    )
  )

it.scopedLive("as many vectors as texts, in their order, asked for in batches", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    const texts = Array.from({ length: 150 }, (_, at) => `text ${"car ".repeat(at % 7)}${at}`)
    const vectors = yield* embed(`${server.url}/`, texts, "sk-secret")
    expect(vectors.map((vector) => [...vector])).toEqual(
      texts.map((text) => [...Float32Array.from(vectorOf(text))])
    )
    expect(server.requests.map(({ input }) => input.length).sort((a, b) => a - b)).toEqual([22, 64, 64])
    expect(server.requests[0]).toMatchObject({ model: "words", authorization: "Bearer sk-secret" })
    expect(yield* embed(server.url, [])).toEqual([])
  })
)

it.scopedLive("an empty text and a very long one are sent in a shape that servers take", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    expect((yield* embed(server.url, ["", "x".repeat(100_000)])).length).toBe(2)
    expect(server.requests[0]?.input.map((text) => text.length > 0 && text.length <= 8_000)).toEqual([
      true,
      true
    ])
  })
)

it.scopedLive("a server that is busy or broken for a moment is asked again", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    server.next(
      (_, response) => response.writeHead(429, { "retry-after": "0" }).end(),
      (_, response) => response.destroy()
    )
    expect((yield* embed(server.url, ["car"])).length).toBe(1)
    expect(server.requests.length).toBe(3)
  })
)

it.scopedLive("what cannot be mended fails at once, in words without the key", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    const failing = (status: number, body: string) =>
      Effect.suspend(() => {
        server.next((_, response) => response.writeHead(status).end(body))
        return Effect.flip(embed(server.url, ["car"], "sk-very-secret"))
      })
    const refused = yield* failing(401, '{"error":{"message":"bad key sk-very-secret"}}')
    expect(refused._tag).toBe("ModelError")
    expect(String(refused)).not.toContain("very-secret")
    const unknown = yield* failing(404, '{"error":{"message":"no model words"}}')
    expect(unknown).toMatchObject({ kind: "refused" })
    expect(unknown).toHaveProperty("reason", expect.stringContaining("OPENAI_EMBEDDING_MODEL"))
    expect(yield* failing(200, "<html>")).toMatchObject({ kind: "malformed" })
    expect(yield* failing(200, '{"data":[]}')).toMatchObject({ kind: "malformed" })
    expect(yield* failing(200, '{"data":[{"index":0,"embedding":["a"]}]}')).toMatchObject({
      kind: "malformed"
    })
    expect(server.requests.length).toBe(5)
  })
)

it.scopedLive("who stops waiting closes the connection", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    server.next(() => undefined)
    const waiting = yield* Effect.fork(embed(server.url, ["car"]))
    const until = (condition: () => boolean) =>
      Effect.sync(condition).pipe(Effect.repeat({ until: (it) => it, schedule: Schedule.spaced("2 millis") }))
    yield* until(() => server.requests.length === 1)
    yield* Fiber.interrupt(waiting)
    yield* until(() => server.abandoned() === 1)
  })
)

const configured = (openAi: Partial<typeof testSettings.openAi>) =>
  Effect.map(Embeddings, ({ model }) => model).pipe(
    Effect.provide(EmbeddingsLive.layer),
    Effect.provide(
      Layer.succeed(Settings, { ...testSettings, openAi: { ...testSettings.openAi, ...openAi } })
    )
  )

it.effect("without a model in the settings there are none, and asking says what to set", () =>
  Effect.gen(function* () {
    expect(yield* configured({})).toBeNull()
    expect(yield* configured({ embeddingModel: Option.some("bge-m3") })).toBe("bge-m3")
    const error = yield* Effect.flip(
      configured({ embeddingModel: Option.some("bge-m3"), baseUrl: Option.some("localhost") })
    )
    expect(String(error)).toContain("OPENAI_BASE_URL")
    const none = yield* Effect.flatMap(Embeddings, ({ embed }) => Effect.flip(embed(["x"]))).pipe(
      Effect.provide(Embeddings.none)
    )
    expect(none.reason).toContain("OPENAI_EMBEDDING_MODEL")
  })
)

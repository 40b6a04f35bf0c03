import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Doc } from "../../src/knowledge/Documents.ts"
import { Retrieval } from "../../src/knowledge/Retrieval.ts"
import * as RetrievalLive from "../../src/knowledge/RetrievalLive.ts"
import { Embeddings } from "../../src/model/Embeddings.ts"
import * as EmbeddingsLive from "../../src/model/EmbeddingsLive.ts"
import { embeddingServer } from "../support/embeddings.ts"

const doc = (text: string, more: Partial<Doc> = {}): Doc => ({
  text,
  fileId: "1",
  fileName: "a.pdf",
  page: 1,
  boxes: [],
  url: null,
  heading: "",
  ...more
})

const docs = [
  doc("The automobile needs oil every year.", { page: 2, boxes: [{ page: 2, box: [1, 2, 3, 4] }] }),
  doc("A physician must wash both hands."),
  doc("Trees grow slowly in the north.", { fileId: "", url: "http://x.example/", page: null }),
  doc("The zebra crossing lies before the school.")
]

const search = (question: string, pieces: ReadonlyArray<Doc> = docs, limit = 4) =>
  Effect.gen(function* () {
    const retriever = yield* Effect.flatMap(Retrieval, (retrieval) => retrieval.index(pieces))
    return yield* retriever.search(question, limit)
  })

const byWords = RetrievalLive.layer.pipe(Layer.provide(Embeddings.none))

const byMeaning = (baseUrl: string) =>
  RetrievalLive.layer.pipe(
    Layer.provide(
      EmbeddingsLive.layerWith({ baseUrl, apiKey: Option.none(), model: "words", retryDelay: "1 millis" })
    )
  )

it.effect("words find what holds them, with file, page and place, scored between 0 and 1", () =>
  Effect.gen(function* () {
    const [best, ...rest] = yield* search("does an automobile need oil?")
    expect(best).toEqual({
      text: "The automobile needs oil every year.",
      fileId: "1",
      fileName: "a.pdf",
      page: 2,
      score: 1,
      boxes: [{ page: 2, box: [1, 2, 3, 4] }]
    })
    expect(rest).toEqual([])
    expect((yield* search("trees"))[0]).toMatchObject({ page: null, url: "http://x.example/" })
    const partly = yield* search("oil for the lamp")
    expect(partly[0]?.score).toBeLessThan(1)
    expect(partly[0]?.score).toBeGreaterThan(0.3)
  }).pipe(Effect.provide(byWords))
)

it.effect("nothing is found for what no document is about, and in no documents", () =>
  Effect.gen(function* () {
    expect(yield* search("capital of France")).toEqual([])
    expect(yield* search("car")).toEqual([])
    expect(yield* search("")).toEqual([])
    expect(yield* search("zebra", [])).toEqual([])
  }).pipe(Effect.provide(byWords))
)

it.effect("more pieces than an index takes are refused in words", () =>
  Effect.gen(function* () {
    const many = Array.from({ length: 20_001 }, () => doc("x"))
    const error = yield* Effect.flip(search("x", many))
    expect(error.reason).toContain("20,001 pieces")
  }).pipe(Effect.provide(byWords))
)

it.scopedLive("with embeddings, what means the same is found without a common word", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    const found = yield* search("car").pipe(Effect.provide(byMeaning(server.url)))
    expect(found.map(({ text }) => text)).toEqual(["The automobile needs oil every year."])
    expect(found[0]?.score).toBeGreaterThan(0)
    expect(found[0]?.score).toBeLessThanOrEqual(1)
  })
)

it.scopedLive("what both words and meaning put first comes before what only one of them does", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    const pieces = [
      doc("hospital hospital hospital"),
      doc("The zebra visits a hospital."),
      doc("The zebra lives on grass and more grass."),
      doc("nothing of the kind")
    ]
    const found = yield* search("zebra doctor", pieces).pipe(Effect.provide(byMeaning(server.url)))
    expect(found[0]?.text).toBe("The zebra visits a hospital.")
    expect(found.map(({ text }) => text).sort()).toEqual(
      pieces
        .slice(0, 3)
        .map(({ text }) => text)
        .sort()
    )
    for (const [at, { score }] of found.entries())
      expect(score).toBeLessThanOrEqual(found[at - 1]?.score ?? 1)
  })
)

it.scopedLive("when the embeddings fail, at the start or at a question, words alone decide", () =>
  Effect.gen(function* () {
    const server = yield* embeddingServer
    const broken = (_: unknown, response: { writeHead: (status: number) => { end: () => void } }) =>
      response.writeHead(400).end()
    server.next(broken)
    const atStart = yield* search("zebra school").pipe(Effect.provide(byMeaning(server.url)))
    expect(atStart.map(({ text }) => text)).toEqual([docs[3]?.text])
    const atQuestion = yield* Effect.gen(function* () {
      const retriever = yield* Effect.flatMap(Retrieval, (retrieval) => retrieval.index(docs))
      server.next(broken)
      return yield* retriever.search("zebra school", 4)
    }).pipe(Effect.provide(byMeaning(server.url)))
    expect(atQuestion).toEqual(atStart)
  })
)

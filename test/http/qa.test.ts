import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { NewRecallChunk } from "../../src/storage/rows.ts"
import { type Answer, at, type Someone, startHttp, success, textAt } from "./support.ts"

const people = Effect.gen(function* () {
  const server = yield* startHttp()
  const root = yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.register("bob")
  const made = yield* server.post("/assistant", { name: "Helper", prompt: "Help.", status: 2 }, { as: ada })
  const flowId = textAt(made, "id")
  const upload = (as: Someone, name: string) => {
    const form = new FormData()
    form.append("file", new Blob(["text"]), name)
    return Effect.map(server.ask("POST", `/upload/${flowId}`, { as, body: form }), (answer) =>
      textAt(answer, "file_id")
    )
  }
  const chunk = (as: Someone, message_id: unknown, keys?: unknown) =>
    server.post("/qa/chunk", { message_id, ...(keys === undefined ? {} : { keys }) }, { as })
  return { server, root, ada, bob, flowId, upload, chunk }
})

const passage = (file_id: string, text: string, more: Partial<NewRecallChunk> = {}): NewRecallChunk => ({
  text,
  file_id,
  file_name: "as it was called",
  page: null,
  score: 0.5,
  ...more
})

const rows = (answer: Answer): ReadonlyArray<unknown> => {
  const data = at(answer.body, "data")
  return Array.isArray(data) ? data : []
}

it.scopedLive("keywords are the answer's telling words, the same each time", () =>
  Effect.gen(function* () {
    const { server, ada, flowId } = yield* people
    const { answer } = yield* server.answered(ada, "adas", flowId, "The liquidity ratio was 3.74 in 2021.", [
      passage("README.md", "Liquidity ratio in 2021: 3.74")
    ])
    const ask = server.get(`/qa/keyword?message_id=${answer}`, { as: ada })
    const first = yield* ask
    expect(first.status).toBe(200)
    expect(rows(first).toSorted()).toEqual(["2021", "3.74", "liquidity", "ratio"])
    expect((yield* ask).text).toBe(first.text)
  })
)

it.scopedLive("passages come by file, the best match first, each with its place and a link that works", () =>
  Effect.gen(function* () {
    const { server, ada, bob, flowId, upload, chunk } = yield* people
    const [one, two] = [yield* upload(ada, "one.txt"), yield* upload(bob, "two.txt")]
    const boxes = JSON.stringify([{ page: 3, box: [1, 2, 3.5, 4] }])
    const { answer } = yield* server.answered(bob, "bobs", flowId, "The ratio", [
      passage(one, "nothing of it"),
      passage(two, "the ratio"),
      passage(one, "the ratio of 2021", { page: 3, boxes }),
      passage("", "a page", { url: "https://example.org/a", file_name: "A page" }),
      passage("README.md", "documentation", { file_name: "README.md" })
    ])
    const answered = yield* chunk(bob, answer, "ratio;2021")
    expect(answered.status).toBe(200)
    const shown = rows(answered).map((row) => [at(row, "source"), at(row, "score"), at(row, "chunk")])
    expect(shown).toEqual([
      ["one.txt", 1, "the ratio of 2021"],
      ["one.txt", 0, "nothing of it"],
      ["two.txt", 0.5, "the ratio"],
      ["A page", 0, "a page"],
      ["README.md", 0, "documentation"]
    ])
    expect(rows(answered)[0]).toEqual({
      file_id: one,
      source: "one.txt",
      right: true,
      score: 1,
      chunk: "the ratio of 2021",
      page: 3,
      chunk_bboxes: [{ page: 3, bbox: [1, 2, 3.5, 4] }],
      source_url: expect.stringContaining(`/api/v1/files/${one}.`),
      original_url: expect.any(String),
      file_url: expect.any(String)
    })
    expect(rows(answered)[3]).toMatchObject({ right: true, file_url: "https://example.org/a" })
    expect(rows(answered)[4]).toMatchObject({ right: true, file_url: "" })
    const url = String(at(rows(answered)[0], "file_url"))
    expect((yield* server.get(url.slice("/api/v1".length))).text).toBe("text")
    const asArray = yield* chunk(bob, String(answer), ["ratio", "2021"])
    expect(rows(asArray).map((row) => at(row, "score"))).toEqual([1, 0, 0.5, 0, 0])
  })
)

it.scopedLive("a passage of a file that is gone or not the reader's shows nothing of it", () =>
  Effect.gen(function* () {
    const { server, root, ada, bob, flowId, upload, chunk } = yield* people
    const [gone, bobs] = [yield* upload(ada, "gone.txt"), yield* upload(bob, "bobs.txt")]
    const { answer } = yield* server.answered(ada, "adas", flowId, "The ratio", [
      passage(gone, "the ratio", { page: 1, boxes: "no JSON" }),
      passage(bobs, "a secret ratio"),
      passage("", "a trap", { url: "javascript:alert(1)" })
    ])
    yield* server.ask("DELETE", `/files/${gone}`, { as: ada })
    const answered = yield* chunk(ada, answer, "ratio")
    const hidden = {
      source: "",
      right: false,
      score: 0,
      chunk: "",
      page: null,
      chunk_bboxes: [],
      source_url: "",
      original_url: "",
      file_url: ""
    }
    expect(rows(answered).slice(0, 2)).toEqual([
      { ...hidden, file_id: gone },
      { ...hidden, file_id: bobs }
    ])
    expect(rows(answered)[2]).toMatchObject({ right: true, file_url: "", source_url: "" })
    expect(answered.text).not.toContain("secret")
    expect(rows(yield* chunk(root, answer, "ratio"))[0]).toMatchObject({
      file_id: bobs,
      right: true,
      score: 1
    })
  })
)

it.scopedLive("an answer without passages has none", () =>
  Effect.gen(function* () {
    const { server, ada, flowId, chunk } = yield* people
    const { answer, question } = yield* server.answered(ada, "adas", flowId, "", [])
    expect((yield* chunk(ada, answer)).body).toEqual(success([]))
    expect((yield* chunk(ada, question, "ratio")).body).toEqual(success([]))
    expect((yield* server.get(`/qa/keyword?message_id=${answer}`, { as: ada })).body).toEqual(success([]))
  })
)

it.scopedLive("only the chat's owner and admins ask where its answers come from", () =>
  Effect.gen(function* () {
    const { server, root, ada, bob, flowId, chunk } = yield* people
    const { answer } = yield* server.answered(ada, "adas", flowId, "The ratio", [])
    for (const [as, status] of [
      [ada, 200],
      [root, 200],
      [bob, 403]
    ] as const) {
      expect((yield* chunk(as, answer)).status).toBe(status)
      expect((yield* server.get(`/qa/keyword?message_id=${answer}`, { as })).status).toBe(status)
    }
    expect((yield* server.get(`/qa/keyword?message_id=${answer}`)).status).toBe(401)
    expect((yield* chunk(ada, answer + 1_000)).status).toBe(404)
    yield* server.ask("DELETE", "/chat/adas", { as: ada })
    expect((yield* chunk(ada, answer)).status).toBe(404)
  })
)

it.scopedLive("what is no message id, and what are no keys, is 422", () =>
  Effect.gen(function* () {
    const { server, ada, flowId, chunk } = yield* people
    const { answer } = yield* server.answered(ada, "adas", flowId, "The ratio", [])
    for (const id of [0, -1, 1.5, 2 ** 53, "x", "", null, {}, [1], true]) {
      expect((yield* chunk(ada, id)).status, JSON.stringify(id)).toBe(422)
    }
    for (const id of ["", "0", "-1", "1.5", "x", "9007199254740993", "NaN", "Infinity"]) {
      expect((yield* server.get(`/qa/keyword?message_id=${id}`, { as: ada })).status, id).toBe(422)
    }
    expect((yield* server.get("/qa/keyword", { as: ada })).status).toBe(422)
    for (const keys of [7, {}, [7], "x".repeat(20_001), Array.from({ length: 1_001 }, () => "x")]) {
      expect((yield* chunk(ada, answer, keys)).status).toBe(422)
    }
    for (const keys of [null, "", ";;;", [], "x;".repeat(5_000)]) {
      expect((yield* chunk(ada, answer, keys)).status).toBe(200)
    }
  })
)

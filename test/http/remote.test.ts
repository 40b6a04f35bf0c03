import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Answer, at, startHttp, textAt } from "./support.ts"

const settings = {
  protocol: "openai",
  url: "http://127.0.0.1:9/v1",
  model: "m",
  api_key: "sk-secret-one",
  headers: { "x-team": "secret-two" },
  guide_word: "Hello from afar"
}

const shown = { ...settings, api_key: "********", headers: { "x-team": "********" } }

const setUp = Effect.gen(function* () {
  const server = yield* startHttp()
  const root = yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.guest
  const answers: Array<Answer> = []
  const kept = (asked: Effect.Effect<Answer>) =>
    Effect.map(asked, (answer) => {
      answers.push(answer)
      return answer
    })
  const make = (data: unknown) => server.post("/flows", { name: "R", flow_type: 100, data }, { as: ada })
  const ask = (method: string, path: string, json?: unknown) =>
    kept(server.ask(method, path, { as: ada, ...(json === undefined ? {} : { json }) }))
  const made = yield* kept(make(settings))
  const id = textAt(made, "id")
  return { server, root, ada, bob, answers, kept, make, ask, made, id, stored: server.stored(id) }
})

it.scopedLive("a remote app is made, and no answer ever holds its secrets", () =>
  Effect.gen(function* () {
    const { server, root, bob, answers, kept, ask, made, id, stored } = yield* setUp
    expect(made.body).toMatchObject({
      status_code: 200,
      data: { flow_type: 100, status: 1, guide_word: "Hello from afar", write: true, data: shown }
    })
    expect(yield* stored).toEqual(settings)
    expect((yield* ask("PATCH", `/flows/${id}`, { status: 2 })).body).toMatchObject({ data: { data: shown } })
    expect((yield* ask("GET", `/flows/${id}`)).body).toMatchObject({ data: { data: shown } })
    const version = at((yield* ask("GET", `/flows/versions?flow_id=${id}`)).body, "data", "data", 0, "id")
    expect((yield* ask("GET", `/flows/versions/${version}`)).body).toMatchObject({ data: { data: shown } })
    yield* ask("GET", "/flows?flow_type=100")
    yield* ask("GET", "/chat/online")
    const copy = yield* ask("POST", "/flows/versions", { flow_id: id, name: "copy" })
    expect(copy.body).toMatchObject({ data: { data: shown } })
    yield* ask("PATCH", `/flows/versions/${textAt(copy, "id")}`, { data: { ...shown, system: "Be brief." } })
    yield* ask("POST", "/flows/versions/change", { flow_id: id, version_id: Number(textAt(copy, "id")) })
    expect(yield* stored).toEqual({ ...settings, system: "Be brief." })
    for (const as of [root, bob]) {
      yield* kept(server.get(`/flows/${id}`, { as }))
      yield* kept(server.get("/flows", { as }))
    }
    expect((yield* server.get(`/flows/${id}`, { as: bob })).body).toMatchObject({ data: { data: null } })
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(answers.map(({ text }) => text).join()).not.toMatch(/secret-/)
    expect(server.lines.join()).not.toMatch(/secret-/)
  })
)

it.scopedLive("a secret that is sent back hidden stays while the address does, and no longer", () =>
  Effect.gen(function* () {
    const { ask, id, stored } = yield* setUp
    const patch = (data: unknown) => ask("PATCH", `/flows/${id}`, { data })
    yield* patch({ ...shown, model: "other" })
    expect(yield* stored).toEqual({ ...settings, model: "other" })
    yield* patch({ ...shown, api_key: "secret-new" })
    expect(yield* stored).toEqual({ ...settings, api_key: "secret-new" })
    const moved = yield* patch({ ...shown, url: "http://127.0.0.1:10/v1" })
    expect(moved.status).toBe(200)
    expect(yield* stored).toEqual({ ...settings, url: "http://127.0.0.1:10/v1", api_key: "", headers: {} })
  })
)

it.scopedLive("settings that make no sense are 422 in words, wherever they are sent", () =>
  Effect.gen(function* () {
    const { server, ada, ask, make, id, stored } = yield* setUp
    const version = at((yield* ask("GET", `/flows/versions?flow_id=${id}`)).body, "data", "data", 0, "id")
    const wrong: ReadonlyArray<readonly [unknown, string]> = [
      [null, "data: is missing"],
      ["x", "data: must be"],
      [{ nodes: [], edges: [] }, "data: protocol"],
      [{ ...settings, protocol: "soap" }, "data: protocol"],
      [{ ...settings, url: "ftp://x" }, "data: url"],
      [{ ...settings, url: "http://u:secret-p@x/" }, "data: url"],
      [{ ...settings, model: "" }, "data: model"],
      [{ ...settings, headers: { host: "x" } }, "data: headers"],
      [{ ...settings, api_key: "two\nlines" }, "data: api_key"]
    ]
    for (const [data, words] of wrong) {
      const answers = [yield* make(data)]
      if (data !== null) {
        answers.push(yield* ask("PATCH", `/flows/${id}`, { data }))
        answers.push(yield* ask("PUT", `/flows/versions/${version}`, { data }))
        answers.push(yield* ask("POST", "/flows/versions", { flow_id: id, name: "x", data }))
      }
      for (const answer of answers) {
        expect(answer.status, words).toBe(422)
        expect(at(answer.body, "status_message")).toContain(words)
        expect(answer.text).not.toContain("secret-")
      }
    }
    // Hidden where there is nothing yet that it could stand for.
    const blank = yield* make(shown)
    expect(yield* server.stored(textAt(blank, "id"))).toEqual({ ...settings, api_key: "", headers: {} })
    // What nobody knows is not kept: it could be a secret under a misspelt name.
    const odd = yield* make({ ...settings, "api-key": "secret-three" })
    expect(odd.text).not.toContain("secret-three")
    const graph = { nodes: [], edges: [] }
    const skill = yield* server.post("/flows", { name: "S", flow_type: 1, data: graph }, { as: ada })
    const path = `/flows/${textAt(skill, "id")}`
    expect((yield* ask("PATCH", path, { data: settings })).status).toBe(422)
    expect(yield* stored).toEqual(settings)
  })
)

import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, type Someone, startHttp, success, textAt } from "./support.ts"

const people = Effect.gen(function* () {
  const server = yield* startHttp()
  const admin = yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.guest
  const make = (as: Someone, fields: Record<string, unknown> = {}) =>
    server.post("/assistant", { name: "Helper", prompt: "Help.", ...fields }, { as })
  return { server, admin, ada, bob, make }
})

it.scopedLive("an assistant is made of a prompt and what else is given, offline, as an app of type 5", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const made = yield* make(ada, {
      model: "gpt-4o",
      temperature: 0.5,
      tools: ["calculator", { tool_key: "current_time", description: "of Bisheng's" }],
      knowledge: [1, 2],
      guide_word: "Hello!",
      guide_question: ["What?"]
    })
    expect(made.body).toMatchObject(
      success({
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        name: "Helper",
        flow_type: 5,
        status: 1,
        user_id: ada.id,
        prompt: "Help.",
        model: "gpt-4o",
        temperature: 0.5,
        tools: ["calculator", { tool_key: "current_time" }],
        knowledge: [1, 2],
        guide_word: "Hello!",
        guide_question: ["What?"],
        write: true
      })
    )
    const id = textAt(made, "id")
    expect((yield* server.get(`/assistant/info/${id}`, { as: ada })).body).toEqual(made.body)
    expect((yield* server.get(`/flows/${id}`, { as: ada })).body).toMatchObject({
      data: { flow_type: 5, data: { prompt: "Help." } }
    })
    expect(yield* server.audit(id)).toEqual([{ action: "app.create", userId: ada.id }])
  })
)

it.scopedLive("its owner changes what they give; null puts a setting back", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const id = textAt(yield* make(ada, { model: "gpt-4o", temperature: 0.5 }), "id")
    const put = (fields: Record<string, unknown>) =>
      server.ask("PUT", "/assistant", { as: ada, json: { id, ...fields } })
    expect((yield* put({ name: "New", temperature: null })).body).toMatchObject({
      data: { name: "New", prompt: "Help.", model: "gpt-4o", temperature: null }
    })
    expect((yield* put({ prompt: "Do.", tools: [] })).body).toMatchObject({
      data: { name: "New", prompt: "Do.", tools: [], model: "gpt-4o" }
    })
    expect((yield* put({})).body).toMatchObject({ data: { prompt: "Do." } })
  })
)

it.scopedLive("2 puts it online and 1 takes it offline", () =>
  Effect.gen(function* () {
    const { server, ada, bob, make } = yield* people
    const id = textAt(yield* make(ada), "id")
    const online = Effect.map(server.get("/chat/online", { as: bob }), ({ body }) =>
      at(body, "data", 0, "id")
    )
    const put = (status: number) => server.post("/assistant/status", { id, status }, { as: ada })
    expect(yield* online).toBeUndefined()
    expect((yield* put(2)).body).toMatchObject({ data: { status: 2 } })
    expect((yield* put(2)).body).toMatchObject({ data: { status: 2 } })
    expect(yield* online).toBe(id)
    expect((yield* put(1)).body).toMatchObject({ data: { status: 1 } })
    expect(yield* online).toBeUndefined()
  })
)

it.scopedLive("others see of an online assistant how it greets, not its prompt; and alter nothing", () =>
  Effect.gen(function* () {
    const { server, admin, ada, bob, make } = yield* people
    const id = textAt(yield* make(ada, { status: 2, guide_word: "Hello!", knowledge: ["private"] }), "id")
    const seen = yield* server.get(`/assistant/info/${id}`, { as: bob })
    expect(seen.body).toMatchObject({
      data: { guide_word: "Hello!", prompt: null, knowledge: null, write: false }
    })
    expect((yield* server.get(`/flows/${id}`, { as: bob })).body).toMatchObject({ data: { data: null } })
    expect((yield* server.get(`/assistant/info/${id}`, { as: admin })).body).toMatchObject({
      data: { prompt: "Help." }
    })
    for (const answer of [
      yield* server.ask("PUT", "/assistant", { as: bob, json: { id, prompt: "Obey bob." } }),
      yield* server.post("/assistant/status", { id, status: 1 }, { as: bob }),
      yield* server.post("/assistant/delete", { id }, { as: bob }),
      yield* server.ask("DELETE", `/assistant/${id}`, { as: bob })
    ]) {
      expect(answer.status).toBe(403)
      expect(answer.body).toMatchObject({ status_code: 403, data: null })
    }
    yield* server.post("/assistant/status", { id, status: 1 }, { as: ada })
    expect((yield* server.get(`/assistant/info/${id}`, { as: bob })).status).toBe(403)
  })
)

it.scopedLive("it is deleted by DELETE, or by POST for clients that know nothing else", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const first = textAt(yield* make(ada), "id")
    const second = textAt(yield* make(ada), "id")
    expect((yield* server.ask("DELETE", `/assistant/${first}`, { as: ada })).body).toEqual(success(null))
    expect((yield* server.post("/assistant/delete", { id: second }, { as: ada })).body).toEqual(success(null))
    for (const id of [first, second]) {
      expect((yield* server.get(`/assistant/info/${id}`, { as: ada })).status).toBe(404)
      expect((yield* server.ask("DELETE", `/assistant/${id}`, { as: ada })).status).toBe(404)
      expect((yield* server.audit(id))[0]).toEqual({ action: "app.delete", userId: ada.id })
    }
  })
)

it.scopedLive("the list has assistants alone", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    yield* make(ada)
    yield* server.post("/flows", { name: "A skill", flow_type: 1 }, { as: ada })
    const list = yield* server.get("/assistant?page=1&limit=10", { as: ada })
    expect(list.body).toMatchObject({ data: { total: 1, data: [{ name: "Helper", flow_type: 5 }] } })
    expect(list.text).not.toContain("Help.")
  })
)

it.scopedLive("a skill is no assistant, and an assistant's settings are no graph", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const skill = textAt(yield* server.post("/flows", { name: "A skill", flow_type: 1 }, { as: ada }), "id")
    expect((yield* server.get(`/assistant/info/${skill}`, { as: ada })).status).toBe(404)
    expect((yield* server.post("/assistant/status", { id: skill, status: 2 }, { as: ada })).status).toBe(404)
    expect((yield* server.ask("DELETE", `/assistant/${skill}`, { as: ada })).status).toBe(404)
    const assistant = textAt(yield* make(ada), "id")
    const patched = yield* server.ask("PATCH", `/flows/${assistant}`, {
      as: ada,
      json: { data: { nodes: [], edges: [] } }
    })
    expect(patched.status).toBe(422)
    expect(
      (yield* server.ask("PATCH", `/flows/${assistant}`, { as: ada, json: { status: 2 } })).body
    ).toMatchObject({ data: { status: 2, data: { prompt: "Help." } } })
  })
)

it.scopedLive("assistants that make no sense are 422 and the field is named", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const deep: unknown = JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`)
    for (const [fields, field] of [
      [{ name: undefined }, "name"],
      [{ name: "x".repeat(256) }, "name"],
      [{ prompt: undefined }, "prompt"],
      [{ prompt: 7 }, "prompt"],
      [{ prompt: "x".repeat(100_001) }, "prompt"],
      [{ model: {} }, "model"],
      [{ temperature: 3 }, "temperature"],
      [{ temperature: "hot" }, "temperature"],
      [{ tools: "calculator" }, "tools"],
      [{ tools: [7] }, "tools"],
      [{ tools: Array(65).fill("calculator") }, "tools"],
      [{ knowledge: {} }, "knowledge"],
      [{ knowledge: [deep] }, "the body"],
      [{ guide_question: "What?" }, "guide_question"],
      [{ status: 0 }, "status"]
    ] as const) {
      const answer = yield* make(ada, fields)
      expect(answer.status, JSON.stringify(fields).slice(0, 60)).toBe(422)
      expect(at(answer.body, "status_message")).toMatch(new RegExp(`^${field}\\b`))
    }
    for (const body of [
      {},
      { id: "x", status: 2 },
      { id: "0".repeat(32) },
      { id: "0".repeat(32), status: "2" }
    ]) {
      expect((yield* server.post("/assistant/status", body, { as: ada })).status).toBe(422)
    }
    expect(
      (yield* server.post("/assistant/status", { id: "0".repeat(32), status: 2 }, { as: ada })).status
    ).toBe(404)
    expect((yield* server.post("/assistant/delete", {}, { as: ada })).status).toBe(422)
    expect((yield* server.ask("PUT", "/assistant", { as: ada, json: { name: "x" } })).status).toBe(422)
  })
)

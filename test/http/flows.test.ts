import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, type Someone, startHttp, success, textAt } from "./support.ts"

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

const graph = {
  nodes: [
    {
      id: "LLM-1",
      type: "genericNode",
      data: { id: "LLM-1", type: "LLM", node: { template: { key: "sk-1" } } }
    }
  ],
  edges: [
    { id: "e", source: "LLM-1", target: "LLM-1", targetHandle: "LLM|llm|LLM-1", data: { note: "sk-2" } }
  ],
  guide_word: "Hello!"
}

const people = Effect.gen(function* () {
  const server = yield* startHttp()
  const admin = yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.guest
  const make = (as: Someone, fields: Record<string, unknown> = {}) =>
    server.post("/flows", { name: "Mine", description: "d", data: graph, flow_type: 1, ...fields }, { as })
  return { server, admin, ada, bob, make }
})

it.scopedLive("an app is made with an id of the server's, offline, and is its maker's", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const made = yield* make(ada, { id: "a".repeat(32), user_id: 999, status: undefined })
    expect(made.status).toBe(200)
    expect(made.body).toEqual(
      success({
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        name: "Mine",
        description: "d",
        flow_type: 1,
        status: 1,
        user_id: ada.id,
        version_id: expect.any(Number),
        data: graph,
        guide_word: "Hello!",
        guide_question: [],
        write: true,
        features: { batch: false, report: false, group: false },
        create_time: isoTime,
        update_time: isoTime
      })
    )
    expect(textAt(made, "id")).not.toBe("a".repeat(32))
    const id = textAt(made, "id")
    expect((yield* server.get(`/flows/${id}`, { as: ada })).body).toEqual(made.body)
    const dashed = id.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
    expect((yield* server.get(`/flows/${dashed}`, { as: ada })).body).toEqual(made.body)
    expect(yield* server.audit(id)).toEqual([{ action: "app.create", userId: ada.id }])
  })
)

it.scopedLive("guests too may make apps, a workflow may be online at once, and a graph may be left out", () =>
  Effect.gen(function* () {
    const { bob, make } = yield* people
    const made = yield* make(bob, { flow_type: 10, status: 2, data: null, description: null, name: "  W  " })
    expect(made.body).toMatchObject({
      status_code: 200,
      data: { flow_type: 10, status: 2, name: "W", description: "", data: { nodes: [], edges: [] } }
    })
  })
)

it.scopedLive("making the same app twice makes two", () =>
  Effect.gen(function* () {
    const { ada, make } = yield* people
    expect(textAt(yield* make(ada), "id")).not.toBe(textAt(yield* make(ada), "id"))
  })
)

it.scopedLive("its owner changes what they give and nothing else; a changed graph is a new version", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const made = yield* make(ada)
    const id = textAt(made, "id")
    const patch = (json: unknown) => server.ask("PATCH", `/flows/${id}`, { as: ada, json })
    const online = yield* patch({ status: 2 })
    expect(online.body).toMatchObject({
      data: { status: 2, name: "Mine", version_id: at(made.body, "data", "version_id") }
    })
    const renamed = yield* patch({ name: "New", description: "" })
    expect(renamed.body).toMatchObject({ data: { status: 2, name: "New", description: "", data: graph } })
    const changed = yield* patch({ data: { nodes: [], edges: [] } })
    expect(at(changed.body, "data", "version_id")).not.toBe(at(made.body, "data", "version_id"))
    expect((yield* patch({})).body).toMatchObject({ data: { name: "New" } })
    expect((yield* patch({ status: 1 })).body).toMatchObject({ data: { status: 1 } })
    expect((yield* server.audit(id))[0]).toEqual({ action: "app.update", userId: ada.id })
  })
)

it.scopedLive("an offline app is its owner's and the admin's", () =>
  Effect.gen(function* () {
    const { server, admin, ada, bob, make } = yield* people
    const path = `/flows/${textAt(yield* make(ada), "id")}`
    expect((yield* server.get(path, { as: admin })).body).toMatchObject({
      data: { data: graph, write: true }
    })
    const refused = yield* server.get(path, { as: bob })
    expect(refused.status).toBe(403)
    expect(refused.text).not.toContain("Mine")
    for (const answer of [
      yield* server.ask("PATCH", path, { as: bob, json: { status: 2 } }),
      yield* server.ask("DELETE", path, { as: bob })
    ]) {
      expect(answer.status).toBe(403)
      expect(answer.body).toEqual({ status_code: 403, status_message: "this app is not yours", data: null })
    }
    expect((yield* server.get(path, { as: ada })).body).toMatchObject({ data: { status: 1 } })
  })
)

it.scopedLive("of an online app others see the outline, not what its nodes hold", () =>
  Effect.gen(function* () {
    const { server, ada, bob, make } = yield* people
    const path = `/flows/${textAt(yield* make(ada, { status: 2 }), "id")}`
    const seen = yield* server.get(path, { as: bob })
    expect(seen.body).toMatchObject({
      data: {
        guide_word: "Hello!",
        write: false,
        data: {
          nodes: [{ id: "LLM-1", type: "genericNode", data: { id: "LLM-1", type: "LLM" } }],
          edges: [{ id: "e", source: "LLM-1", target: "LLM-1", targetHandle: "LLM|llm|LLM-1" }]
        }
      }
    })
    expect(seen.text).not.toContain("sk-")
    expect((yield* server.ask("PATCH", path, { as: bob, json: { name: "Taken over" } })).status).toBe(403)
    expect((yield* server.ask("DELETE", path, { as: bob })).status).toBe(403)
  })
)

it.scopedLive("a deleted app is gone, once", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const id = textAt(yield* make(ada, { status: 2 }), "id")
    const remove = server.ask("DELETE", `/flows/${id}`, { as: ada })
    expect((yield* remove).body).toEqual(success(null))
    expect((yield* remove).status).toBe(404)
    expect((yield* server.get(`/flows/${id}`, { as: ada })).status).toBe(404)
    expect((yield* server.ask("PATCH", `/flows/${id}`, { as: ada, json: { status: 2 } })).status).toBe(404)
    expect((yield* server.get("/chat/online", { as: ada })).body).toEqual(success([]))
    expect((yield* server.audit(id))[0]).toEqual({ action: "app.delete", userId: ada.id })
  })
)

it.scopedLive("the list has one's own apps and everybody's online ones, and the admin's has all", () =>
  Effect.gen(function* () {
    const { server, admin, ada, bob, make } = yield* people
    yield* make(ada, { name: "ada off" })
    yield* make(ada, { name: "ada on", status: 2 })
    yield* make(bob, { name: "bob off", flow_type: 10 })
    const names = (as: Someone, query = "") =>
      Effect.map(server.get(`/flows${query}`, { as }), (answer) => {
        const rows = at(answer.body, "data", "data")
        const found = Array.isArray(rows) ? rows.map((row) => String(at(row, "name"))).sort() : []
        return { names: found, total: at(answer.body, "data", "total") }
      })
    expect(yield* names(ada)).toEqual({ names: ["ada off", "ada on"], total: 2 })
    expect(yield* names(bob)).toEqual({ names: ["ada on", "bob off"], total: 2 })
    expect(yield* names(admin)).toEqual({ names: ["ada off", "ada on", "bob off"], total: 3 })
    expect((yield* names(admin, "?limit=1&page=2")).total).toBe(3)
    expect((yield* names(admin, "?flow_type=10")).names).toEqual(["bob off"])
    expect((yield* names(admin, "?keyword=ADA%20on")).names).toEqual(["ada on"])
    expect((yield* server.get("/flows", { as: admin })).text).not.toContain("sk-1")
  })
)

it.scopedLive("apps that make no sense are 422 and the field is named", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const nest = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`
    const deep: unknown = JSON.parse(nest(500))
    for (const [fields, field] of [
      [{ name: undefined }, "name"],
      [{ name: "" }, "name"],
      [{ name: " \t " }, "name"],
      [{ name: 7 }, "name"],
      [{ name: "x".repeat(256) }, "name"],
      [{ description: "x".repeat(4_001) }, "description"],
      [{ description: {} }, "description"],
      [{ flow_type: undefined }, "flow_type"],
      [{ flow_type: 5 }, "flow_type"],
      [{ flow_type: "1" }, "flow_type"],
      [{ status: 3 }, "status"],
      [{ data: [] }, "data"],
      [{ data: "graph" }, "data"],
      [{ data: { nodes: {}, edges: [] } }, "data"],
      [{ data: { nodes: [deep], edges: [] } }, "the body"],
      [{ name: deep }, "the body"]
    ] as const) {
      const answer = yield* make(ada, fields)
      expect(answer.status, JSON.stringify(fields).slice(0, 60)).toBe(422)
      expect(at(answer.body, "status_message")).toMatch(new RegExp(`^${field}\\b`))
      expect(answer.text.length).toBeLessThan(600)
    }
    const deeper = yield* server.ask("POST", "/flows", {
      as: ada,
      headers: { "content-type": "application/json" },
      body: `{"name":"x","flow_type":1,"data":{"nodes":[${nest(100_000)}],"edges":[]}}`
    })
    expect(deeper.status).toBe(422)
    for (const id of ["x", "1".repeat(31), "1".repeat(33), "g".repeat(32), "'%20OR%201=1"]) {
      expect((yield* server.get(`/flows/${id}`, { as: ada })).status, id).toBe(422)
    }
    expect((yield* server.get(`/flows/${"0".repeat(32)}`, { as: ada })).status).toBe(404)
  })
)

it.scopedLive("names are data: quotes and markup come back as they went in", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    for (const name of ["'; DROP TABLE flow; --", "<img src=x onerror=alert(1)>", "__proto__", "技能 🎓"]) {
      const id = textAt(yield* make(ada, { name, description: name }), "id")
      expect((yield* server.get(`/flows/${id}`, { as: ada })).body).toMatchObject({
        data: { name, description: name }
      })
    }
  })
)

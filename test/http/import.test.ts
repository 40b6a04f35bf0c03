import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { App } from "../../src/app/App.ts"
import { Builder } from "../../src/app/Builder.ts"
import { promptGraph } from "../app/graphs.ts"
import { type Answer, at, startHttp, textAt } from "./support.ts"

const templates: ReadonlyArray<{ readonly name: string; readonly flow_type: number; readonly id: number }> =
  JSON.parse(readFileSync(new URL("../fixtures/bisheng-templates.json", import.meta.url), "utf8"))

const rowsOf = (answer: Answer): ReadonlyArray<unknown> => {
  const data = at(answer.body, "data")
  return Array.isArray(data) ? data : []
}

const setUp = (options: Parameters<typeof startHttp>[0] = {}) =>
  Effect.gen(function* () {
    const server = yield* startHttp(options)
    yield* server.register("root")
    return { server, ada: yield* server.register("ada"), bob: yield* server.guest }
  })

it.scopedLive("a file of Bisheng's templates is imported whole, with new ids, offline and one's own", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* setUp()
    const answer = yield* server.post("/flows/import", templates, { as: ada })
    const rows = rowsOf(answer)
    expect(rows.map((row) => [at(row, "name"), at(row, "flow_type"), at(row, "status")])).toEqual(
      templates.map(({ name, flow_type }) => [name, flow_type, 1])
    )
    for (const row of rows) {
      expect(row).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/), lacks: expect.any(Array) })
    }
    expect(new Set(rows.map((row) => at(row, "id"))).size).toBe(templates.length)
    const id = String(at(rows[2], "id"))
    const app = yield* server.get(`/flows/${id}`, { as: ada })
    expect(app.body).toMatchObject({ data: { user_id: ada.id, name: templates[2]?.name, status: 1 } })
    const whole: unknown = JSON.parse(JSON.stringify(at(templates[2], "data")))
    expect(at(app.body, "data", "data")).toEqual(whole)
    expect(yield* server.audit(id)).toEqual([{ action: "app.create", userId: ada.id }])
  })
)

it.scopedLive("what an app lacks is told by node; those that lack nothing go online when asked", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* setUp()
    const graph = promptGraph("{input}")
    const file = [
      { name: "Works", flow_type: 1, data: graph, guide_word: "Hi!" },
      {
        name: "Lacks",
        flow_type: 1,
        data: { nodes: [{ id: "sql-1", data: { type: "SQLAgent", node: { template: {} } } }], edges: [] }
      },
      { name: "Old export", description: null, data: graph }
    ]
    const answer = yield* server.post("/flows/import?online=true", file, { as: ada })
    expect(rowsOf(answer)).toEqual([
      { name: "Works", id: expect.any(String), flow_type: 1, status: 2, lacks: [] },
      {
        name: "Lacks",
        id: expect.any(String),
        flow_type: 1,
        status: 1,
        lacks: [{ node_id: "sql-1", type: "SQLAgent", reason: expect.any(String) }]
      },
      { name: "Old export", id: expect.any(String), flow_type: 1, status: 2, lacks: [] }
    ])
    const works = yield* server.get(`/flows/${String(at(rowsOf(answer)[0], "id"))}`, { as: ada })
    expect(works.body).toMatchObject({ data: { guide_word: "Hi!" } })
  })
)

it.scopedLive(
  "a graph that cannot be built is imported to be mended, offline, and what is wrong is told",
  () =>
    Effect.gen(function* () {
      const { server, ada } = yield* setUp()
      const node = (id: string) => ({ id, data: { type: "PromptTemplate", node: { template: {} } } })
      const edge = (source: string, target: string) => ({
        source,
        target,
        targetHandle: `x|prompt|${target}`
      })
      const file = [
        {
          name: "Circle",
          flow_type: 1,
          data: { nodes: [node("a"), node("b")], edges: [edge("a", "b"), edge("b", "a")] }
        },
        {
          name: "Edge to nowhere",
          flow_type: 1,
          data: { nodes: [node("a"), node("b")], edges: [edge("a", "b"), edge("b", "gone")] }
        },
        { name: "Fine", flow_type: 1, data: promptGraph("{input}") }
      ]
      const rows = rowsOf(yield* server.post("/flows/import?online=true", file, { as: ada }))
      expect(rows).toMatchObject([
        { name: "Circle", status: 1, lacks: [{ node_id: "a", reason: expect.stringContaining("circle") }] },
        { name: "Edge to nowhere", status: 1, lacks: [{ reason: expect.stringContaining('"gone"') }] },
        { name: "Fine", status: 2, lacks: [] }
      ])
      expect((yield* server.get(`/flows/${String(at(rows[0], "id"))}`, { as: ada })).status).toBe(200)
    })
)

it.scopedLive("assistants are imported as Bisheng exports them", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* setUp()
    const assistant = {
      id: "x",
      name: "Helper",
      desc: "Helps",
      flow_type: 5,
      prompt: "Be brief.",
      model_name: "12",
      temperature: 0.4,
      tool_list: [
        { id: 3, name: "Calculator", tool_key: "calculator" },
        { id: 9, name: "Bing", tool_key: "bing_search" }
      ],
      flow_list: [{ id: "f", name: "Other app" }],
      knowledge_list: [{ id: 4, name: "Manuals" }],
      guide_word: "Hello",
      guide_question: ["What?", ""]
    }
    const [row] = rowsOf(yield* server.post("/flows/import", assistant, { as: ada }))
    expect(row).toMatchObject({
      name: "Helper",
      flow_type: 5,
      lacks: [
        { node_id: "bing_search", type: "tool" },
        { node_id: "app: Other app", type: "tool" }
      ]
    })
    const read = yield* server.get(`/assistant/info/${String(at(row, "id"))}`, { as: ada })
    const app = read.status === 200 ? read : yield* server.get(`/flows/${String(at(row, "id"))}`, { as: ada })
    expect(app.body).toMatchObject({
      data: { name: "Helper", description: "Helps", guide_word: "Hello", guide_question: ["What?"] }
    })
  })
)

it.scopedLive("what is no app is told in words, and does not keep the others out", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* setUp()
    const answer = yield* server.post(
      "/flows/import",
      {
        flows: [
          17,
          { flow_type: 1, data: promptGraph("{input}") },
          { name: "  ", flow_type: 1, data: promptGraph("{input}") },
          { name: "No graph", flow_type: 1 },
          { name: "What?" },
          { name: "Odd kind", flow_type: 3, data: promptGraph("{input}") },
          { name: "Broken", flow_type: 1, data: { nodes: [{ id: 5 }], edges: [] } },
          { name: "No start", flow_type: 10, data: { nodes: [], edges: [] } },
          { name: "Bad settings", flow_type: 5, prompt: 17 },
          { name: "Fine", flow_type: 1, data: promptGraph("{input}") }
        ]
      },
      { as: ada }
    )
    const rows = rowsOf(answer)
    expect(rows.map((row) => at(row, "name"))).toEqual([
      null,
      null,
      "  ",
      "No graph",
      "What?",
      "Odd kind",
      "Broken",
      "No start",
      "Bad settings",
      "Fine"
    ])
    for (const row of rows.slice(0, -1)) expect(at(row, "error")).toEqual(expect.stringMatching(/\w/))
    expect(at(rows[1], "error")).toContain("name")
    expect(at(rows[6], "error")).toContain("nodes.0")
    expect(rows.at(-1)).toMatchObject({ name: "Fine", lacks: [] })
    const { body } = yield* server.get("/flows", { as: ada })
    expect(body).toMatchObject({ data: { total: 1 } })
  })
)

it.scopedLive("a file is bounded in size and number, and needs somebody signed in", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* setUp()
    const answers = yield* Effect.all([
      server.post("/flows/import", templates),
      server.post("/flows/import", [], { as: ada }),
      server.post(
        "/flows/import",
        Array.from({ length: 501 }, () => ({})),
        { as: ada }
      ),
      server.post("/flows/import", [{ name: "x".repeat(17 * 1024 * 1024) }], { as: ada }),
      // As large elsewhere it is refused as before.
      server.post("/user/login", { user_name: "x".repeat(2 * 1024 * 1024), password: "" })
    ])
    expect(answers.map(({ status }) => status)).toEqual([401, 422, 422, 413, 413])
    const large = {
      name: "Large",
      flow_type: 1,
      data: { ...promptGraph("{input}"), note: "x".repeat(5_000_000) }
    }
    expect(rowsOf(yield* server.post("/flows/import", large, { as: ada }))).toMatchObject([
      { name: "Large", lacks: [] }
    ])
  })
)

it.scopedLive("a session template presets an app's inputs, and is an app like others", () =>
  Effect.gen(function* () {
    const app = (flowId: string): App => ({
      flowId,
      flowType: 1,
      kind: "skill",
      name: "",
      onDisconnect: "continue",
      inputKey: "input",
      form: {
        questions: [],
        files: [{ nodeId: "file", label: "" }],
        variables: [{ nodeId: "var", names: ["city"] }],
        takesQuestion: true,
        fill: () => Effect.succeed(app(flowId))
      },
      answer: () => {
        throw new Error("nobody asks")
      }
    })
    const builder = Layer.succeed(Builder, {
      build: (flow) => Effect.succeed(app(flow.id)),
      lacks: () => Effect.succeed([])
    })
    const { server, ada, bob } = yield* setUp({ builder })
    const base = yield* server.post(
      "/flows",
      { name: "Base", data: promptGraph("x"), flow_type: 1 },
      { as: ada }
    )
    const path = `/flows/${textAt(base, "id")}`
    const values = { files: { file: "f".repeat(32) }, variables: { var: { city: "Paris" } } }
    expect((yield* server.post(`${path}/templates`, { name: "T", values }, { as: bob })).status).toBe(403)
    yield* server.ask("PATCH", path, { as: ada, json: { status: 2 } })
    const made = yield* server.post(`${path}/templates`, { name: "T", values, guide_word: "Hi" }, { as: bob })
    expect(made.body).toMatchObject({
      data: {
        name: "T",
        status: 1,
        flow_type: 1,
        user_id: bob.id,
        guide_word: "Hi",
        data: { template_of: textAt(base, "id"), values }
      }
    })
    const own = `/flows/${textAt(made, "id")}`
    const changed = yield* server.ask("PATCH", own, {
      as: bob,
      json: { status: 2, values: { variables: { var: { city: "Rome" } } } }
    })
    expect(changed.body).toMatchObject({
      data: { status: 2, data: { values: { files: {}, variables: { var: { city: "Rome" } } } } }
    })
    const wrong = yield* Effect.all([
      server.post(`${path}/templates`, { name: "T", values: { files: { other: "f" } } }, { as: bob }),
      server.post(
        `${path}/templates`,
        { name: "T", values: { variables: { var: { town: "x" } } } },
        { as: bob }
      ),
      server.post(`${own}/templates`, { name: "T", values: {} }, { as: bob }),
      server.ask("PATCH", own, { as: bob, json: { data: promptGraph("x") } }),
      server.ask("PATCH", path, { as: ada, json: { values } }),
      server.post(`/flows/${"0".repeat(32)}/templates`, { name: "T", values }, { as: bob })
    ])
    expect(wrong.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 404])
    expect(at(wrong[0]?.body, "status_message")).toContain('"other"')
  })
)

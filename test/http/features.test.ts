import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, startHttp, textAt } from "./support.ts"

const templates: ReadonlyArray<{
  readonly name: string
  readonly flow_type: number
  readonly data: unknown
}> = JSON.parse(readFileSync(new URL("../fixtures/bisheng-templates.json", import.meta.url), "utf8"))

const node = (type: string, template: object) => ({
  id: `${type}-1`,
  type: "genericNode",
  data: { id: `${type}-1`, type, node: { template, display_name: "sk-name" }, value: "sk-value" }
})

const field = (value: unknown) => ({ value, options: ["sk-option"], name: "sk" })

const setUp = Effect.gen(function* () {
  const server = yield* startHttp()
  yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.guest
  const make = (nodes: ReadonlyArray<unknown>, flow_type = 1) =>
    server.post("/flows", { name: "App", flow_type, status: 2, data: { nodes, edges: [] } }, { as: ada })
  return { server, ada, bob, make }
})

it.scopedLive("what a skill's graph makes of it is told wherever apps are shown", () =>
  Effect.gen(function* () {
    const { server, bob, make } = yield* setUp
    const features = (types: ReadonlyArray<string>, flowType = 1) =>
      Effect.map(
        make(
          types.map((type) => node(type, {})),
          flowType
        ),
        ({ body }) => {
          const found = at(body, "data", "features")
          return ["batch", "report", "group"].filter((name) => at(found, name) === true)
        }
      )
    expect(yield* features([])).toEqual([])
    expect(yield* features(["LLMChain", "PromptTemplate"])).toEqual([])
    expect(yield* features(["InputFileNode"])).toEqual(["batch"])
    expect(yield* features(["InputNode"])).toEqual(["batch"])
    expect(yield* features(["VariableNode"])).toEqual(["batch"])
    expect(yield* features(["Report", "InputNode", "VariableNode"])).toEqual(["report"])
    expect(yield* features(["AutoGenChain"])).toEqual(["group"])
    expect(yield* features(["InputNode", "Report"], 10)).toEqual([])
    for (const path of ["/flows", "/chat/online"]) {
      const { body } = yield* server.get(path, { as: bob })
      const rows = path === "/flows" ? at(body, "data", "data") : at(body, "data")
      expect(rows).toHaveLength(8)
      expect(rows).toContainEqual(
        expect.objectContaining({ features: { batch: false, report: false, group: true } })
      )
    }
  })
)

it.scopedLive("nodes that are none of a graph's do not disturb", () =>
  Effect.gen(function* () {
    const { make } = yield* setUp
    const answer = yield* make([null, 7, { data: null }, { data: { type: 7 } }, node("InputNode", {})])
    expect(at(answer.body, "data", "features")).toEqual({ batch: true, report: false, group: false })
  })
)

it.scopedLive("who may not alter an app sees what its form asks for, and nothing else of its nodes", () =>
  Effect.gen(function* () {
    const { server, bob, make } = yield* setUp
    const made = yield* make([
      node("InputFileNode", { file_type: field("The contract"), file_path: field("sk-path") }),
      node("InputNode", { input: field(["First?", { secret: "sk-question" }, "Second?"]) }),
      node("VariableNode", { variables: field(["name", "city"]), variable_value: field(["sk-variable"]) }),
      node("LLMChain", { input: field("sk-input"), file_type: field("sk-type") }),
      { ...node("InputNode", { input: field({ secret: "sk-object" }) }), id: "odd" }
    ])
    const seen = yield* server.get(`/flows/${textAt(made, "id")}`, { as: bob })
    expect(seen.text).not.toContain("sk-")
    const nodes = at(seen.body, "data", "data", "nodes")
    expect(Array.isArray(nodes) ? nodes.map((each) => at(each, "data")) : null).toEqual([
      {
        id: "InputFileNode-1",
        type: "InputFileNode",
        node: { template: { file_type: { value: "The contract" } } }
      },
      {
        id: "InputNode-1",
        type: "InputNode",
        node: { template: { input: { value: ["First?", "Second?"] } } }
      },
      {
        id: "VariableNode-1",
        type: "VariableNode",
        node: { template: { variables: { value: ["name", "city"] } } }
      },
      { id: "LLMChain-1", type: "LLMChain" },
      { id: "InputNode-1", type: "InputNode" }
    ])
  })
)

it.scopedLive("a session template has the features of the app that it is made of", () =>
  Effect.gen(function* () {
    const { server, ada, bob } = yield* setUp
    const report = templates.find(({ name }) => name.includes("Word"))
    const base = yield* server.post("/flows", { ...report, status: 2 }, { as: ada })
    const features = { batch: false, report: true, group: false }
    const made = yield* server.post(
      `/flows/${textAt(base, "id")}/templates`,
      { name: "Preset", status: 2, values: {} },
      { as: bob }
    )
    expect(made.body).toMatchObject({ status_code: 200, data: { features } })
    const path = `/flows/${textAt(made, "id")}`
    expect((yield* server.get(path, { as: ada })).body).toMatchObject({ data: { features } })
    expect((yield* server.get("/chat/online", { as: ada })).body).toMatchObject({
      data: [{ features }, { features }]
    })
    const listed = yield* server.get("/flows?keyword=Preset", { as: bob })
    expect(listed.body).toMatchObject({ data: { data: [{ name: "Preset", features }] } })
    // Of an app that is gone nothing is known.
    yield* server.ask("DELETE", `/flows/${textAt(base, "id")}`, { as: ada })
    expect((yield* server.get(path, { as: bob })).body).toMatchObject({
      data: { name: "Preset", features: { report: false } }
    })
  })
)

it.scopedLive("Bisheng's report template shows its form to everybody", () =>
  Effect.gen(function* () {
    const { server, ada, bob } = yield* setUp
    const report = templates.find(({ name }) => name.includes("Word"))
    const made = yield* server.post("/flows", { ...report, status: 2 }, { as: ada })
    expect(at(made.body, "data", "features")).toEqual({ batch: false, report: true, group: false })
    const seen = yield* server.get(`/flows/${textAt(made, "id")}`, { as: bob })
    const nodes = at(seen.body, "data", "data", "nodes")
    const variables = Array.isArray(nodes)
      ? nodes.find((each) => at(each, "data", "type") === "VariableNode")
      : undefined
    expect(at(variables, "data", "node", "template")).toEqual({
      variables: { value: ["客户名称", "客户规模"] }
    })
  })
)

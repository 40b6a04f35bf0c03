import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Builder } from "../../src/app/Builder.ts"
import { node, promptGraph } from "../app/graphs.ts"
import { at, startHttp, success, textAt } from "./support.ts"

const setUp = (options: Parameters<typeof startHttp>[0] = {}) =>
  Effect.gen(function* () {
    const server = yield* startHttp(options)
    const admin = yield* server.register("root")
    const ada = yield* server.register("ada")
    const bob = yield* server.guest
    const make = (data: unknown, status = 1) =>
      Effect.map(server.post("/flows", { name: "Mine", data, flow_type: 1, status }, { as: ada }), (answer) =>
        textAt(answer, "id")
      )
    return { server, admin, ada, bob, make }
  })

/** Events of a stream, each as [event, data]. */
const eventsIn = (text: string): ReadonlyArray<readonly [string, unknown]> =>
  text
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [name = "", data = ""] = block.split("\n")
      return [name.slice("event: ".length), JSON.parse(data.slice("data: ".length))]
    })

const graph = promptGraph("Say {input}", {
  nodes: [node("memory", "ConversationBufferMemory", { memory_key: "history" })],
  edges: [
    { source: "memory", target: "chain", sourceHandle: "Type|memory|Any", targetHandle: "Any|memory|chain" }
  ]
})

it.scopedLive("a graph is built node by node, told as events, and can then be debugged", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* setUp()
    const id = yield* make({ nodes: [], edges: [] })
    const status = Effect.map(server.get(`/build/${id}/status`, { as: ada }), ({ body }) => body)
    expect(yield* status).toEqual(success({ built: false }))
    // As the editor sends it: the app with its graph inside.
    const begun = yield* server.post(`/build/init/${id}`, { id, name: "Mine", data: graph }, { as: ada })
    expect(begun.body).toEqual(success({ flowId: id }))
    expect(yield* status).toEqual(success({ built: false }))
    // An EventSource sends no headers.
    const built = yield* server.get(`/build/stream/${id}?t=${ada.token}`)
    expect(built.headers.get("content-type")).toContain("text/event-stream")
    const events = eventsIn(built.text)
    const logs = events.filter(([name]) => name === "log").map(([, data]) => at(data, "log"))
    expect([...logs].sort()).toEqual([
      "Building node ChatOpenAI",
      "Building node ConversationBufferMemory",
      "Building node LLMChain",
      "Building node PromptTemplate"
    ])
    expect(logs.at(-1)).toBe("Building node LLMChain")
    const messages = events.filter(([name]) => name === "message").map(([, data]) => data)
    expect(messages.slice(0, 4).map((data) => [at(data, "valid"), at(data, "progress")])).toEqual([
      [true, 0.25],
      [true, 0.5],
      [true, 0.75],
      [true, 1]
    ])
    expect(messages.slice(4)).toEqual([
      { input_keys: [{ input: "", id: "chain" }], memory_keys: ["history"], handle_keys: [] },
      { end_of_stream: true }
    ])
    expect(events.some(([name]) => name === "error")).toBe(false)
    expect(yield* status).toEqual(success({ built: true }))
  })
)

it.scopedLive("a graph that cannot be built says which node is wrong, and may be mended", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* setUp()
    const id = yield* make({ nodes: [], edges: [] })
    const build = (data: unknown) =>
      Effect.gen(function* () {
        yield* server.post(`/build/init/${id}`, data, { as: ada })
        return eventsIn((yield* server.get(`/build/stream/${id}`, { as: ada })).text)
      })
    const wrong = yield* build({ graph_data: { nodes: [node("odd", "NoSuchThing")], edges: [] } })
    expect(wrong).toEqual([
      ["error", { error: expect.stringContaining('"odd" (NoSuchThing)') }],
      ["message", { end_of_stream: true }]
    ])
    expect((yield* server.get(`/build/${id}/status`, { as: ada })).body).toEqual(success({ built: false }))
    expect((yield* build(graph)).at(-2)?.[1]).toHaveProperty("input_keys")
  })
)

it.scopedLive("what cannot be built is said in words", () =>
  Effect.gen(function* () {
    const { server, ada, bob, make } = yield* setUp()
    const id = yield* make(graph)
    const nothing = yield* server.get(`/build/stream/${id}`, { as: ada })
    expect(eventsIn(nothing.text)).toEqual([
      ["error", { error: expect.stringContaining("nothing to build") }],
      ["message", { end_of_stream: true }]
    ])
    const answers = yield* Effect.all([
      server.post(`/build/init/${id}`, graph, { as: bob }),
      server.get(`/build/stream/${id}`, { as: bob }),
      server.get(`/build/${id}/status`, { as: bob }),
      server.get(`/build/stream/${id}`),
      server.post(`/build/init/${"0".repeat(32)}`, graph, { as: ada }),
      server.post(`/build/init/${id}`, { hello: 1 }, { as: ada }),
      server.post(`/build/init/${id}?version_id=999`, graph, { as: ada }),
      server.post(`/build/init/${id}?version_id=x`, graph, { as: ada })
    ])
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 401, 404, 422, 404, 422])
  })
)

it.scopedLive("a chat builds what is stored, and leaves the editor's build alone", () =>
  Effect.gen(function* () {
    const { server, ada, bob, make } = yield* setUp()
    const id = yield* make(graph, 2)
    yield* server.post(`/build/init/${id}`, graph, { as: ada })
    yield* server.get(`/build/stream/${id}`, { as: ada })
    expect((yield* server.post(`/build/init/${id}`, { chat_id: "c1" }, { as: bob })).body).toEqual(
      success({ flowId: id })
    )
    const events = eventsIn((yield* server.get(`/build/stream/${id}?chat_id=c1`, { as: bob })).text)
    expect(events.at(-2)?.[1]).toMatchObject({ input_keys: [{ input: "" }] })
    expect((yield* server.get(`/build/${id}/status`, { as: ada })).body).toEqual(success({ built: true }))
  })
)

it.scopedLive("one client builds at a time, and one that leaves midway leaves nothing behind", () =>
  Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    const interrupted = yield* Deferred.make<void>()
    let builds = 0
    const builder = Layer.succeed(Builder, {
      build: (flow, onNode = () => Effect.void) =>
        Effect.gen(function* () {
          builds += 1
          yield* onNode({ id: "one", type: "Slow" })
          if (builds === 1) {
            yield* Deferred.succeed(begun, undefined)
            yield* Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
          }
          return {
            flowId: flow.id,
            flowType: 1,
            kind: "skill",
            name: flow.name,
            onDisconnect: "continue",
            inputKey: "query",
            answer: () => {
              throw new Error("nobody asks")
            }
          }
        }),
      lacks: () => Effect.succeed([])
    })
    const { server, ada, make } = yield* setUp({ builder })
    const id = yield* make(graph)
    yield* server.post(`/build/init/${id}`, graph, { as: ada })
    const leaving = new AbortController()
    const first = fetch(`${server.origin}/api/v1/build/stream/${id}?t=${ada.token}`, {
      signal: leaving.signal
    })
    const seen = yield* Effect.promise(async () => {
      const reader = (await first).body?.getReader()
      return new TextDecoder().decode((await reader?.read())?.value)
    })
    expect(seen).toContain("Building node Slow")
    yield* Deferred.await(begun)
    expect(eventsIn((yield* server.get(`/build/stream/${id}`, { as: ada })).text)).toEqual([
      ["error", { error: expect.stringContaining("being built already") }],
      ["message", { end_of_stream: true }]
    ])
    // A graph sent meanwhile does not disturb the one that is being built.
    expect((yield* server.post(`/build/init/${id}`, { nodes: [], edges: [] }, { as: ada })).status).toBe(200)
    yield* Effect.sync(() => leaving.abort())
    yield* Deferred.await(interrupted)
    const again = yield* Effect.repeat(
      Effect.map(server.get(`/build/stream/${id}`, { as: ada }), ({ text }) => eventsIn(text)),
      {
        until: (events) => !JSON.stringify(events).includes("already")
      }
    )
    expect(again.at(-2)?.[1]).toMatchObject({ input_keys: [{ query: "" }] })
    expect(builds).toBe(2)
  })
)

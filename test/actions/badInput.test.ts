import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { edge, node } from "../app/graphs.ts"
import { dialogue, end, form, graph, output, start } from "../app/workflow/support.ts"
import { bomb, pdf } from "../knowledge/made.ts"
import { isClose, type TestClient } from "../support/client.ts"
import { errorIn, type FullServer, startFull, told } from "../support/fullServer.ts"
import { batch, fruit } from "./graphs.ts"

const isAlive = (client: TestClient) =>
  Effect.gen(function* () {
    yield* client.say({ action: "ping" })
    yield* client.until(({ message }) => message === "pong", "pong")
  })

/** Chains in a row, with a prompt each. */
const long = (nodes: number) => {
  const chains = (nodes - 2) / 2
  const all = Array.from({ length: chains }, (_, at) => at)
  return {
    nodes: [
      node("all", "SequentialChain", { input_variables: ["topic"] }),
      node("model", "ChatOpenAI"),
      ...all.map((at) => node(`chain-${at}`, "LLMChain")),
      ...all.map((at) => node(`prompt-${at}`, "PromptTemplate", { template: "{topic}" }))
    ],
    edges: all.flatMap((at) => [
      edge(`chain-${at}`, "all", "chains"),
      edge(`prompt-${at}`, `chain-${at}`, "prompt"),
      edge("model", `chain-${at}`, "llm")
    ])
  }
}

/** A workflow of so many messages. */
const longFlow = (nodes: number) =>
  graph(
    [start(), ...Array.from({ length: nodes - 1 }, (_, at) => output(`o_${at}`, "hm"))],
    Array.from({ length: nodes - 1 }, (_, at) => [at === 0 ? "start_1" : `o_${at - 1}`, `o_${at}`] as const)
  )

describe("a graph", () => {
  it.scopedLive("of 2,000 nodes is answered, as a skill", () =>
    Effect.gen(function* () {
      const server = yield* startFull({ model: () => "short" })
      const client = yield* server.connect(yield* server.app(long(2000)))
      yield* client.say({ inputs: { topic: "tea" } })
      yield* client.until(isClose)
      expect(told(client).slice(-3)).toEqual(["start/answer", "end/answer", "close/processing"])
      expect(server.model.requests).toHaveLength(999)
      yield* isAlive(client)
    })
  )

  const faulty: ReadonlyArray<readonly [string, unknown, 1 | 10, string]> = [
    ["of 2,000 nodes, as a workflow,", longFlow(2000), 10, "the graph has 2000 nodes (limit 1000)"],
    [
      "that goes round in a circle",
      {
        nodes: [
          node("a", "SequentialChain", {}),
          node("b", "SequentialChain", {}),
          node("c", "SequentialChain", {})
        ],
        edges: [edge("a", "b", "chains"), edge("b", "c", "chains"), edge("c", "a", "chains")]
      },
      1,
      "a"
    ],
    [
      "whose node has values of wrong types",
      {
        nodes: [
          node("chain", "LLMChain", { output_key: { is: "no text" } }),
          node("prompt", "PromptTemplate", { template: ["{x}"] }),
          node("model", "ChatOpenAI", { temperature: { hot: true } })
        ],
        edges: [edge("prompt", "chain", "prompt"), edge("model", "chain", "llm")]
      },
      1,
      "node"
    ],
    ["that is none", { nodes: "many", edges: 3 }, 1, ""],
    ["without a node", { nodes: [], edges: [] }, 10, "no nodes"],
    [
      "whose step has values of wrong types",
      graph(
        [start(), { id: "llm_1", type: "llm", params: { user_prompt: 7, output_user: "yes" } }],
        [["start_1", "llm_1"]]
      ),
      10,
      "llm_1"
    ]
  ]
  for (const [what, data, flowType, words] of faulty) {
    it.scopedLive(`${what} is refused in words before any run, and the server goes on`, () =>
      Effect.gen(function* () {
        const server = yield* startFull()
        const app = yield* server.app(data, flowType)
        const client = yield* server.connect(app)
        yield* client.say(
          flowType === 10
            ? { action: "init_data", flow_id: app, chat_id: "c1" }
            : { inputs: { input: "hello" } }
        )
        const error = yield* errorIn(client)
        expect(error).toMatchObject({
          status_code: 13003,
          data: { exception: expect.stringContaining(words) }
        })
        expect(client.frames.some(({ type }) => type === "begin")).toBe(false)
        const { code } = yield* client.closed
        expect(code).toBe(4409)
        const other = yield* server.connect(yield* server.app(batch("x")), "c2")
        yield* isAlive(other)
      })
    )
  }
})

describe("an answer to a workflow", () => {
  const opened = (server: FullServer) =>
    Effect.gen(function* () {
      const app = yield* server.app(
        graph(
          [
            start(),
            form("form_1", [
              { key: "who", type: "text", value: "Your name", required: true },
              { key: "size", type: "select", value: "Size", options: [{ id: "s", text: "small" }] }
            ]),
            dialogue("input_2"),
            output("out_1", "{{#form_1.who#}} {{#form_1.extra#}}"),
            end
          ],
          [
            ["start_1", "form_1"],
            ["form_1", "out_1"],
            ["out_1", "input_2"],
            ["input_2", "end_1"]
          ]
        ),
        10
      )
      const client = yield* server.connect(app)
      yield* client.say({ action: "init_data", flow_id: app, chat_id: "c1" })
      yield* client.until(({ category }) => category === "input", "the form")
      const answer = (data: unknown) => client.say({ action: "input", flow_id: app, chat_id: "c1", data })
      return { client, answer }
    })

  for (const [what, data, words] of [
    [
      "for a node that does not wait",
      { input_2: { data: { user_input: "hi" } } },
      'node "input_2" does not wait'
    ],
    ["for a node that never asks", { out_1: { data: {} } }, 'node "out_1" does not wait'],
    ["for a node that is not there", { ghost: { data: {} } }, 'there is no node "ghost"'],
    ["that lacks a field", { form_1: { data: { size: "small" } } }, '"who" is required'],
    ["with a choice that is none", { form_1: { data: { who: "Eve", size: "huge" } } }, '"huge" is no choice'],
    ["with a field of a wrong type", { form_1: { data: { who: { name: "Eve" } } } }, '"who" must be a text'],
    ["that is far too long", { form_1: { data: { who: "x".repeat(200_000) } } }, "limit 100000"]
  ] as const) {
    it.scopedLive(`${what} is refused in words, and it goes on waiting`, () =>
      Effect.gen(function* () {
        const server = yield* startFull()
        const { client, answer } = yield* opened(server)
        yield* answer(data)
        expect(yield* errorIn(client)).toMatchObject({
          status_code: 13007,
          data: { exception: expect.stringContaining(words) }
        })
        expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("waiting_input")
        yield* answer({ form_1: { data: { who: "Eve" } } })
        yield* client.untilCount(({ category }) => category === "input", 2)
      })
    )
  }

  it.scopedLive("with fields that nobody asked for is taken without them", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const { client, answer } = yield* opened(server)
      yield* answer({ form_1: { data: { who: "Eve", extra: "sneaked in", __proto__: { a: 1 } } } })
      const said = yield* client.until(({ category }) => category === "output_msg")
      expect(said.message).toMatchObject({ msg: expect.stringMatching(/^Eve ?$/) })
    })
  )
})

describe("a batch", () => {
  const files: ReadonlyArray<readonly [string, string, Effect.Effect<Uint8Array>, string]> = [
    [
      "is an encrypted PDF",
      "locked.pdf",
      Effect.promise(() => pdf([["secret"]], { password: "open sesame" })),
      "Remove the password"
    ],
    ["is a zip bomb", "bomb.docx", Effect.promise(() => bomb(120)), "unpacks to far more than its size"],
    ["is no PDF at all", "broken.pdf", Effect.succeed(new TextEncoder().encode("not a pdf")), "is damaged"],
    ["is empty", "empty.txt", Effect.succeed(new Uint8Array(0)), '"empty.txt" is empty']
  ]
  for (const [what, name, bytes, words] of files) {
    it.scopedLive(`whose file ${what} says so once, whatever it was to be asked, and the socket lives`, () =>
      Effect.gen(function* () {
        const server = yield* startFull()
        const app = yield* server.app(batch("Apples?", "Pears?"))
        const path = yield* server.planted(app, name, yield* bytes)
        const client = yield* server.connect(app)
        yield* client.say({ action: "auto_file", inputs: { data: [{ id: "file", file_path: path, name }] } })
        yield* client.until(isClose)
        expect(told(client).slice(-4)).toEqual([
          "start/question",
          "end/question",
          "end/error",
          "close/processing"
        ])
        expect(yield* errorIn(client)).toMatchObject({
          status_code: 13006,
          data: { error: expect.stringContaining(words) }
        })
        expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("failed")
        expect(server.model.requests).toEqual([])
        yield* isAlive(client)
      })
    )
  }

  for (const [what, inputs, words] of [
    [
      "names a node that the app does not have",
      { data: [{ id: "ghost", file_path: "x" }] },
      'no input node "ghost"'
    ],
    ["gives no file where one is meant", { data: [{ id: "file" }] }, 'needs a file: give "file_path"'],
    [
      "has more questions than can be asked",
      { questions: Array.from({ length: 1001 }, (_, at) => `${at}?`) },
      "at most 1000"
    ]
  ] as const) {
    it.scopedLive(`that ${what} fails in words`, () =>
      Effect.gen(function* () {
        const server = yield* startFull()
        const client = yield* server.connect(yield* server.app(batch("Apples?")))
        yield* client.say({ action: "auto_file", inputs })
        yield* client.until(isClose)
        expect(yield* errorIn(client)).toMatchObject({
          data: { error: expect.stringContaining(words) }
        })
        expect(server.model.requests).toEqual([])
        yield* isAlive(client)
      })
    )
  }

  for (const [what, data] of [
    ["is longer than any form", Array.from({ length: 501 }, () => ({ id: "file", value: "x" }))],
    ["has values of wrong types", [{ id: 7, value: { deep: true } }]],
    ["holds a value longer than any", [{ id: "file", value: "x".repeat(100_001) }]]
  ] as const) {
    it.scopedLive(`whose data ${what} is refused before any run`, () =>
      Effect.gen(function* () {
        const server = yield* startFull()
        const client = yield* server.connect(yield* server.app(batch("Apples?")))
        yield* client.say({ action: "auto_file", inputs: { data } })
        expect(yield* errorIn(client)).toMatchObject({ status_code: 13007 })
        expect(client.frames.some(({ type }) => type === "begin")).toBe(false)
        yield* isAlive(client)
      })
    )
  }

  it.scopedLive("whose data is larger than a frame may be is closed with 1009", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const app = yield* server.app(batch("Apples?"))
      const client = yield* server.connect(app)
      yield* client.say({
        action: "auto_file",
        inputs: { data: [{ id: "ask", value: [fruit.repeat(40_000)] }] }
      })
      expect((yield* client.closed).code).toBe(1009)
      yield* isAlive(yield* server.connect(app, "c2"))
    })
  )
})

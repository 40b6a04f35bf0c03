import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  asking,
  choosing,
  dialogue,
  type EdgeSketch,
  end,
  form,
  graph,
  llm,
  type NodeSketch,
  output,
  start
} from "../app/workflow/support.ts"
import { isClose, type TestClient } from "../support/client.ts"
import { readDocx } from "../support/docx.ts"
import { closedTimes, errorIn, type FullServer, startFull, told } from "../support/fullServer.ts"
import { lastWords, type Speech } from "../support/speech.ts"

type Frames = TestClient["frames"]

interface NodeCase {
  readonly what: string
  readonly node: NodeSketch
  /** More nodes and edges beside `start → node → last → end`. */
  readonly nodes?: ReadonlyArray<NodeSketch>
  readonly edges?: ReadonlyArray<EdgeSketch>
  /** The node's way to what comes after it. */
  readonly handle?: string
  /** What it does before it runs, and while it does. */
  readonly prompts?: ReadonlyArray<string>
  readonly frames?: ReadonlyArray<string>
  /** Rows that it stores, in brief. */
  readonly rows?: ReadonlyArray<string>
  /** What the person answers, and what the node makes of it. */
  readonly reply?: Readonly<Record<string, unknown>>
  readonly model?: Speech
  /** What the last model node is told: that the node's outputs are there. */
  readonly last?: string
  readonly hears?: string
  readonly check?: (frames: Frames, server: FullServer) => Effect.Effect<void>
}

const preset = {
  preset_question: [
    { key: "q", value: "Which fruit is green?" },
    { key: "n", value: "3" }
  ]
}
const asked = "start_1.preset_question#q"

const cases: ReadonlyArray<NodeCase> = [
  {
    what: "input by dialogue",
    node: dialogue("x_1"),
    prompts: ["over/input"],
    reply: { user_input: "a pear" },
    rows: ["input", "question a pear"],
    last: "{{#x_1.user_input#}}",
    hears: "a pear"
  },
  {
    what: "input by form",
    node: form("x_1", [
      { key: "who", type: "text", value: "Your name", required: true },
      { key: "size", type: "select", value: "Size", options: [{ id: "s", text: "small" }] }
    ]),
    prompts: ["over/input"],
    reply: { who: "Eve", size: "small" },
    rows: ["input", "question Your name: Eve\nSize: small"],
    last: "{{#x_1.who#}} {{#x_1.size#}}",
    hears: "Eve small"
  },
  {
    what: "output of a message",
    node: output("x_1", "3 is {{#start_1.preset_question#n#}}"),
    frames: ["over/output_msg"],
    rows: ["output_msg"],
    check: (frames) =>
      Effect.sync(() => {
        const said = frames.find(({ category }) => category === "output_msg")
        expect(said?.message).toMatchObject({ node_id: "x_1", name: "x_1", msg: "3 is 3", output_key: "" })
      })
  },
  {
    what: "output that asks for a text",
    node: asking("x_1", "Well?"),
    frames: ["end/node_run", "over/output_with_input_msg"],
    reply: { output_result: "fine" },
    rows: ["output_with_input_msg", "question fine"],
    last: "{{#x_1.output_result#}}",
    hears: "fine"
  },
  {
    what: "output that asks for a choice",
    node: choosing("x_1", "Again?", "yes", "no"),
    edges: [["x_1", "end_1", "no"]],
    handle: "yes",
    frames: ["end/node_run", "over/output_with_choose_msg"],
    reply: { output_result: "yes" },
    rows: ["output_with_choose_msg", "question YES"]
  },
  {
    what: "llm",
    node: llm("x_1", "ask {{#start_1.preset_question#q#}}", true),
    frames: ["stream/stream_msg", "end/stream_msg"],
    rows: ["stream_msg <ask Which fruit is green?>"],
    last: "{{#x_1.output#}}",
    hears: "<ask Which fruit is green?>"
  },
  {
    what: "agent",
    node: {
      id: "x_1",
      type: "agent",
      tab: { value: "single" },
      params: {
        system_prompt: "Count.",
        user_prompt: "6*7",
        output_user: true,
        tool_list: [{ key: "calculator", tool_key: "calculator", label: "Calculator" }]
      }
    },
    frames: ["stream/stream_msg", "end/stream_msg"],
    rows: ["stream_msg It is 42"],
    model: (request) =>
      request.messages.at(-1)?.role === "tool"
        ? `It is ${lastWords(request)}`
        : { calls: "calculator", with: { expression: "6*7" } },
    last: "{{#x_1.output#}}",
    hears: "It is 42"
  },
  {
    what: "rag",
    node: {
      id: "x_1",
      type: "rag",
      params: {
        user_question: [asked],
        user_prompt: "{{#x_1.user_question#}} {{#x_1.retrieved_result#}}",
        output_user: true,
        output_user_input: [{ key: "found", label: "found" }]
      }
    },
    frames: ["stream/stream_msg", "end/stream_msg"],
    rows: ["stream_msg Pears"],
    model: (request) => (lastWords(request).includes("Pears are green.") ? "Pears" : "Nothing found"),
    last: "{{#x_1.found#}}",
    hears: "Pears",
    check: (frames, server) =>
      Effect.gen(function* () {
        const answer = frames.find(({ type, category }) => type === "end" && category === "stream_msg")
        expect(answer?.source).toBe(1)
        expect((yield* server.chunks(answer?.message_id)).map(({ chunk }) => chunk)).toContain(
          "Pears are green."
        )
      })
  },
  {
    what: "qa_retriever",
    node: { id: "x_1", type: "qa_retriever", params: { user_question: [asked] } },
    last: "{{#x_1.retrieved_result#}}",
    hears: "Pears are green."
  },
  {
    what: "knowledge_retriever",
    node: {
      id: "x_1",
      type: "knowledge_retriever",
      params: { user_question: [asked], knowledge: { type: "knowledge", value: [] } }
    },
    last: "{{#x_1.retrieved_result#}}",
    hears: "Pears are green."
  },
  {
    what: "condition",
    node: {
      id: "x_1",
      type: "condition",
      params: {
        condition: [
          {
            id: "is_three",
            operator: "and",
            conditions: [
              {
                left_var: "start_1.preset_question#n",
                comparison_operation: "equals",
                right_value_type: "input",
                right_value: "3"
              }
            ]
          }
        ]
      }
    },
    handle: "is_three",
    edges: [["x_1", "end_1"]]
  },
  {
    what: "tool",
    node: {
      id: "x_1",
      type: "tool",
      tool_key: "calculator",
      params: { expression: "2+{{#start_1.preset_question#n#}}" }
    },
    last: "{{#x_1.output#}}",
    hears: "5"
  },
  {
    what: "report",
    node: { id: "x_1", type: "report", params: { report_info: { version_key: "", file_name: "Result" } } },
    frames: ["over/output_msg"],
    rows: ["output_msg"],
    check: (frames, server) =>
      Effect.gen(function* () {
        const said = frames.find(({ category }) => category === "output_msg")
        expect(said?.files).toMatchObject([{ name: "Result.docx", path: expect.stringContaining("/files/") }])
        const [file] = Object.values(said?.files ?? {})
        const { bytes } = yield* server.download(
          String(Object.entries(file ?? {}).find(([key]) => key === "path")?.[1])
        )
        const { files } = yield* Effect.promise(() => readDocx(bytes))
        expect(files).toContain("word/document.xml")
      })
  }
]

/** `start → node → llm → end`. */
const around = ({ node, nodes = [], edges = [], handle = "right_handle", last = "go" }: NodeCase) =>
  graph(
    [start({ guide_word: "Hello", ...preset }), node, llm("last_1", `last ${last}`, true), end, ...nodes],
    [["start_1", node.id], [node.id, "last_1", handle], ["last_1", "end_1"], ...edges]
  )

const ran = ["start/node_run", "end/node_run"]
const lastRan = ["start/node_run", "stream/stream_msg", "end/stream_msg", "end/node_run"]

/** Everything up to the last model node. */
const leadingTo = ({ prompts = [], frames = [], reply }: NodeCase) => [
  "begin/processing",
  "start/node_run",
  "over/guide_word",
  "end/node_run",
  ...prompts,
  "start/node_run",
  ...frames,
  // An output that asks has run before it is answered.
  ...(reply !== undefined && prompts.length === 0 ? [] : ["end/node_run"])
]

const opened = (one: NodeCase, toLast: Speech) =>
  Effect.gen(function* () {
    const usual: Speech = one.model ?? ((request) => `<${lastWords(request)}>`)
    const model: Speech = (request) =>
      lastWords(request).startsWith("last ") ? toLast(request) : usual(request)
    const server = yield* startFull({ model })
    const app = yield* server.app(around(one), 10)
    yield* server.upload(app, "fruit.txt", "Pears are green.")
    const client = yield* server.connect(app)
    const address = { flow_id: app, chat_id: "c1" }
    yield* client.say({ action: "init_data", ...address, data: {} })
    if (one.reply !== undefined) {
      yield* client.until(
        ({ type, category }) => type === "over" && /input|choose/.test(category),
        "a prompt"
      )
      yield* client.say({ action: "input", ...address, data: { x_1: { data: one.reply } } })
    }
    return { server, client, address }
  })

const rowsInBrief = (server: FullServer) =>
  Effect.map(server.rows(), (rows) =>
    rows.map(({ category, message, remark }) => {
      const text =
        category === "question" ? message : category === "stream_msg" ? JSON.parse(message).msg : ""
      return [category, text, remark].filter((part) => part !== "").join(" ")
    })
  )

describe("a workflow with a node of type", () => {
  for (const one of cases) {
    describe(one.what, () => {
      it.scopedLive("tells its steps in order, hands on what it made, and stores what was said", () =>
        Effect.gen(function* () {
          const { server, client } = yield* opened(one, () => "The end")
          yield* client.until(isClose)
          expect(told(client)).toEqual([...leadingTo(one), ...lastRan, ...ran, "close/processing"])
          expect(server.model.asked().at(-1)).toContain(one.hears ?? "go")
          expect(yield* rowsInBrief(server)).toEqual([...(one.rows ?? []), "stream_msg The end"])
          const steps = client.frames.filter(({ category }) => category === "node_run")
          expect(
            steps.map(({ type, message }) => [
              type,
              Object.entries(message ?? {}).find(([key]) => key === "node_id")?.[1]
            ])
          ).toEqual(
            ["start_1", "x_1", "last_1", "end_1"].flatMap((id) => [
              ["start", id],
              ["end", id]
            ])
          )
          for (const { message } of steps.filter(({ type }) => type === "end")) {
            expect(message).toMatchObject({ reason: null })
          }
          const ids = client.frames.flatMap(({ message_id }) => (message_id === null ? [] : [message_id]))
          const said = (yield* server.rows()).filter(({ is_bot }) => is_bot)
          expect(ids).toEqual(said.map(({ id }) => id))
          expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("done")
          if (one.check !== undefined) yield* one.check(client.frames, server)
        })
      )

      it.scopedLive("keeps it when a later node fails", () =>
        Effect.gen(function* () {
          const { server, client } = yield* opened(one, () => ({ fails: "the model is gone", after: "The " }))
          yield* client.until(isClose)
          expect(told(client)).toEqual([
            ...leadingTo(one),
            "start/node_run",
            "stream/stream_msg",
            "end/node_run",
            "end/stream_msg",
            "end/error",
            "close/processing"
          ])
          expect(yield* errorIn(client)).toMatchObject({
            status_code: 13005,
            data: { error: expect.stringContaining('node "last_1": the model is gone') }
          })
          expect(yield* rowsInBrief(server)).toEqual([...(one.rows ?? []), "stream_msg The  break_answer"])
          expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("failed")
        })
      )

      it.scopedLive("keeps it when it is stopped after that", () =>
        Effect.gen(function* () {
          const { server, client, address } = yield* opened(one, () => ({ holds: "The " }))
          yield* server.model.holding(1)
          yield* client.untilCount(({ type }) => type === "stream", 1)
          yield* client.say({ action: "stop", ...address })
          yield* server.model.interrupted(1)
          yield* client.until(isClose)
          expect(told(client)).toEqual([
            ...leadingTo(one),
            "start/node_run",
            "stream/stream_msg",
            "end/stream_msg",
            "end/processing",
            "close/processing"
          ])
          expect(yield* rowsInBrief(server)).toEqual([...(one.rows ?? []), "stream_msg The  break_answer"])
          expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("stopped")
        })
      )
    })
  }
})

describe("a workflow's own trouble", () => {
  const failing: ReadonlyArray<readonly [string, NodeSketch, Speech, string]> = [
    ["a model node", llm("x_1", "ask", true), () => ({ fails: "no model" }), 'node "x_1": no model'],
    [
      "an agent",
      {
        id: "x_1",
        type: "agent",
        tab: { value: "single" },
        params: { user_prompt: "ask", output_user: true }
      },
      () => ({ fails: "no model" }),
      'node "x_1": no model'
    ],
    [
      "a retrieval",
      { id: "x_1", type: "rag", params: { user_question: [asked], user_prompt: "ask", output_user: true } },
      () => ({ fails: "no model" }),
      'node "x_1": no model'
    ],
    [
      "a tool",
      { id: "x_1", type: "tool", tool_key: "calculator", params: { expression: "2+" } },
      () => "",
      'node "x_1": '
    ]
  ]
  for (const [what, node, model, words] of failing) {
    it.scopedLive(`is told at ${what} that fails, and ends the run in words`, () =>
      Effect.gen(function* () {
        const server = yield* startFull({ model })
        const app = yield* server.app(
          graph(
            [start(preset), node, end],
            [
              ["start_1", "x_1"],
              ["x_1", "end_1"]
            ]
          ),
          10
        )
        const client = yield* server.connect(app)
        yield* client.say({ action: "init_data", flow_id: app, chat_id: "c1" })
        yield* client.until(isClose)
        expect(told(client)).toEqual(["begin/processing", ...ran, ...ran, "end/error", "close/processing"])
        expect(client.frames.at(-3)?.message).toMatchObject({ node_id: "x_1", reason: expect.any(String) })
        expect(yield* errorIn(client)).toMatchObject({
          status_code: 13005,
          data: { error: expect.stringContaining(words) }
        })
      })
    )
  }

  for (const [what, node] of failing.slice(0, 3).map(([name, sketch]) => [name, sketch] as const)) {
    it.scopedLive(`is none when it is stopped while ${what} speaks: what was said is kept`, () =>
      Effect.gen(function* () {
        const server = yield* startFull({ model: () => ({ holds: "Half " }) })
        const app = yield* server.app(
          graph(
            [start(preset), node, end],
            [
              ["start_1", "x_1"],
              ["x_1", "end_1"]
            ]
          ),
          10
        )
        const client = yield* server.connect(app)
        yield* client.say({ action: "init_data", flow_id: app, chat_id: "c1" })
        yield* client.until(({ type }) => type === "stream", "the model's words")
        yield* client.say({ action: "stop", flow_id: app, chat_id: "c1" })
        yield* server.model.interrupted(1)
        yield* client.until(isClose)
        expect(told(client)).toEqual([
          "begin/processing",
          ...ran,
          "start/node_run",
          "stream/stream_msg",
          "end/stream_msg",
          "end/processing",
          "close/processing"
        ])
        expect(yield* rowsInBrief(server)).toEqual(["stream_msg Half  break_answer"])
      })
    )
  }

  it.scopedLive("is refused before any run where a node would run code", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const code = { id: "code_1", type: "code", params: { code: "print(1)" } }
      const app = yield* server.app(graph([start(), code], [["start_1", "code_1"]]), 10)
      const client = yield* server.connect(app)
      yield* client.say({ action: "init_data", flow_id: app, chat_id: "c1" })
      expect(yield* errorIn(client)).toMatchObject({
        data: { exception: expect.stringContaining("no sandbox") }
      })
      expect(client.frames.some(({ type }) => type === "begin")).toBe(false)
      expect(server.model.requests).toEqual([])
    })
  )

  it.scopedLive("is a loop without a way out: it ends at its limit, with words", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const app = yield* server.app(
        graph(
          [start(), output("o_1", "again"), output("o_2", "and again")],
          [
            ["start_1", "o_1"],
            ["o_1", "o_2"],
            ["o_2", "o_1"]
          ]
        ),
        10
      )
      const client = yield* server.connect(app)
      yield* client.say({ action: "init_data", flow_id: app, chat_id: "c1" })
      yield* client.until(isClose)
      expect(yield* errorIn(client)).toMatchObject({
        data: { error: expect.stringContaining("needs a way out") }
      })
      yield* client.say({ action: "ping" })
      yield* client.until(({ message }) => message === "pong")
      yield* closedTimes(client, 1)
    })
  )
})

import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { edge, node } from "../app/graphs.ts"
import { isClose, streamed } from "../support/client.ts"
import { errorIn, startFull, told } from "../support/fullServer.ts"
import { lastWords, type Speech } from "../support/speech.ts"
import { fruit, retrieval, type SkillGraph } from "./graphs.ts"

const question = "Pears or plums?"

const steps = "stream/processing"
const head = ["begin/system", "start/processing"]
const answered = [...head, steps, "end/processing", "start/answer", "end/answer", "close/processing"]

interface SkillCase {
  readonly what: string
  readonly data: SkillGraph
  /** The key of the question among the inputs. */
  readonly key: string
  /** The passages of the file that it answers from; absent: it reads none. */
  readonly reads?: ReadonlyArray<string>
  readonly model?: Speech
  readonly frames?: ReadonlyArray<string>
  readonly answer: string
  /** The categories of what is stored; absent: a question and its answer. */
  readonly rows?: ReadonlyArray<string>
  /** How often the model was asked. */
  readonly asked: number
  /** Whether what its first request streams is shown. */
  readonly partial?: boolean
}

const model = node("model", "ChatOpenAI", {})
const prompt = node("prompt", "PromptTemplate", { template: "Say {question}" })
const chain: SkillGraph = {
  nodes: [node("chain", "LLMChain"), prompt, model],
  edges: [edge("prompt", "chain", "prompt"), edge("model", "chain", "llm")]
}

const usual: Speech = (request) => `<${lastWords(request)}>`
const green = "Pears are green."
const both = [green, "Plums are blue."]

/** The file's part of {@link retrieval}, for another chain. */
const reader: SkillGraph = {
  nodes: retrieval().nodes.filter(({ id }) => !["combine", "qa"].includes(id)),
  edges: retrieval().edges.filter(({ target }) => !["combine", "qa"].includes(target))
}

const combining = (
  chain_type: string,
  modelSays: Speech,
  asked: number,
  reads: ReadonlyArray<string> = both
): SkillCase => ({
  what: `RetrievalQA, ${chain_type}`,
  data: retrieval({ chain_type }, {}, {}),
  key: "query",
  reads,
  model: modelSays,
  answer: "green",
  asked,
  partial: chain_type === "stuff"
})

const cases: ReadonlyArray<SkillCase> = [
  { what: "LLMChain", data: chain, key: "question", answer: `<Say ${question}>`, asked: 1, partial: true },
  {
    what: "ConversationChain",
    data: {
      nodes: [node("talk", "ConversationChain", {}), node("memory", "ConversationBufferMemory", {}), model],
      edges: [edge("model", "talk", "llm"), edge("memory", "talk", "memory")]
    },
    key: "input",
    answer: `<${question}>`,
    asked: 1,
    partial: true
  },
  combining("stuff", () => "green", 1),
  combining("map_reduce", () => "green", 3),
  combining("refine", () => "green", 2),
  combining(
    "map_rerank",
    (request) => (lastWords(request).includes(green) ? "green\nScore: 90" : "blue\nScore: 30"),
    2,
    [green]
  ),
  {
    what: "ConversationalRetrievalChain",
    data: {
      nodes: [...reader.nodes, node("qa", "ConversationalRetrievalChain", { chain_type: "stuff" })],
      edges: [...reader.edges, edge("store", "qa", "retriever"), edge("model", "qa", "llm")]
    },
    key: "question",
    reads: both,
    answer: `<${question}>`,
    asked: 1,
    partial: true
  },
  {
    what: "RetrievalChain",
    data: {
      nodes: [...reader.nodes.filter(({ id }) => id !== "model"), node("qa", "RetrievalChain")],
      edges: [...reader.edges, edge("store", "qa", "retriever")]
    },
    key: "query",
    reads: both,
    answer: both.join("\n\n"),
    asked: 0
  },
  {
    what: "SequentialChain",
    data: {
      nodes: [
        node("all", "SequentialChain", { chain_order: '["one", "two"]', input_variables: ["topic"] }),
        node("one", "LLMChain", { output_key: "title" }),
        node("two", "LLMChain", { output_key: "play" }),
        node("p1", "PromptTemplate", { template: "Title for {topic}" }),
        node("p2", "PromptTemplate", { template: "Play {title}" }),
        model
      ],
      edges: [
        edge("one", "all", "chains"),
        edge("two", "all", "chains"),
        edge("p1", "one", "prompt"),
        edge("p2", "two", "prompt"),
        edge("model", "one", "llm"),
        edge("model", "two", "llm")
      ]
    },
    key: "topic",
    model: (request) => (lastWords(request).startsWith("Title") ? "Storm" : `<${lastWords(request)}>`),
    answer: "<Play Storm>",
    asked: 2
  },
  {
    what: "TransformChain",
    data: {
      nodes: [
        node("all", "SequentialChain", { chain_order: '["pass", "chain"]', input_variables: ["topic"] }),
        node("pass", "TransformChain", { input_variables: ["topic"], output_variables: ["question"] }),
        ...chain.nodes
      ],
      edges: [edge("pass", "all", "chains"), edge("chain", "all", "chains"), ...chain.edges]
    },
    key: "topic",
    answer: `<Say ${question}>`,
    asked: 1,
    partial: true
  },
  {
    what: "QAGenerationChainV2",
    data: {
      nodes: [
        ...reader.nodes.filter(({ id }) => id !== "store"),
        node("pairs", "QAGenerationChainV2", { k: 1, chunk_size: 512 })
      ],
      edges: [
        ...reader.edges.filter(({ target }) => target !== "store"),
        edge("load", "pairs", "documents"),
        edge("model", "pairs", "llm")
      ]
    },
    key: "input",
    reads: [fruit],
    model: (request) => (lastWords(request).endsWith("Answer:") ? "red" : "Which colour?"),
    answer: JSON.stringify([{ question: "Which colour?", answer: "red" }], null, 2),
    asked: 2
  },
  {
    what: "ZeroShotAgent with a calculator",
    data: {
      nodes: [node("agent", "ZeroShotAgent", {}), node("sums", "Calculator", {}), model],
      edges: [edge("model", "agent", "llm"), edge("sums", "agent", "tools")]
    },
    key: "input",
    model: (request) =>
      request.messages.at(-1)?.role === "tool"
        ? `It is ${lastWords(request)}`
        : { calls: "calculator", with: { expression: "6*7" } },
    frames: [
      ...head,
      "start/tool",
      "end/tool",
      "stream/processing",
      "end/processing",
      "start/answer",
      "end/answer",
      "close/processing"
    ],
    answer: "It is 42",
    rows: ["question", "tool", "answer"],
    asked: 2,
    partial: true
  }
]

/** With the file in the graph, where it reads one. */
const withFile = ({ nodes, edges }: SkillGraph, file_path: string): SkillGraph => ({
  nodes: nodes.map((one) => (one.id === "file" ? node("file", "InputFileNode", { file_path }) : one)),
  edges
})

const opened = ({ data }: SkillCase, speech: Speech) =>
  Effect.gen(function* () {
    const server = yield* startFull({ model: speech })
    const shelf = yield* server.app(chain)
    const app = yield* server.app(withFile(data, yield* server.upload(shelf, "fruit.txt", fruit)))
    return { server, client: yield* server.connect(app) }
  })

describe("a skill whose chain is a", () => {
  for (const one of cases) {
    const speech = one.model ?? usual
    const ask = { inputs: { [one.key]: question } }

    it.scopedLive(`${one.what} answers, and stores what it answered from`, () =>
      Effect.gen(function* () {
        const { server, client } = yield* opened(one, speech)
        yield* client.say(ask)
        yield* client.until(isClose)
        expect(told(client)).toEqual(one.frames ?? answered)
        const end = client.frames.at(-2)
        expect(end?.message).toBe(one.answer)
        expect(server.model.requests).toHaveLength(one.asked)
        const rows = yield* server.rows()
        expect(rows.map(({ category }) => category)).toEqual(one.rows ?? ["question", "answer"])
        expect(rows.at(-1)).toMatchObject({ id: end?.message_id, message: one.answer, remark: "" })
        expect(end?.source).toBe(one.reads === undefined ? 0 : 1)
        const chunks = (yield* server.chunks(end?.message_id)).map(({ chunk }) => chunk)
        expect(chunks).toEqual(one.reads ?? [])
        expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("done")
      })
    )

    if (one.asked === 0) continue

    it.scopedLive(`${one.what} fails in words when its model does`, () =>
      Effect.gen(function* () {
        const { server, client } = yield* opened(one, () => ({ fails: "the model is gone" }))
        yield* client.say(ask)
        yield* client.until(isClose)
        expect(told(client).slice(-2)).toEqual(["end/error", "close/processing"])
        expect(yield* errorIn(client)).toMatchObject({
          status_code: 13005,
          data: { error: expect.stringContaining("the model is gone") }
        })
        expect((yield* server.rows()).map(({ category }) => category)).toEqual(["question"])
      })
    )

    it.scopedLive(`${one.what} keeps what it has said when it is stopped`, () =>
      Effect.gen(function* () {
        const { server, client } = yield* opened(one, () => ({ holds: "It is " }))
        yield* client.say(ask)
        yield* server.model.holding(1)
        if (one.partial === true) {
          yield* client.until((frame) => streamed([frame]) === "It is ", "what is streamed")
        }
        yield* client.say({ action: "stop" })
        yield* server.model.interrupted(1)
        yield* client.until(isClose)
        const rows = (yield* server.rows()).map(({ message, remark }) => [message, remark])
        const shown = streamed(client.frames)
        expect(rows).toEqual([[question, ""], ...(shown === "" ? [] : [[shown, "break_answer"]])])
        expect(told(client).slice(shown === "" ? -2 : -3)).toEqual([
          ...(shown === "" ? [] : ["end/answer"]),
          "end/processing",
          "close/processing"
        ])
        expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("stopped")
      })
    )
  }
})

describe("a skill that takes no question", () => {
  const pairs = cases.find(({ what }) => what === "QAGenerationChainV2")

  it.scopedLive("says so when its form is filled, and runs once", () =>
    Effect.gen(function* () {
      const server = yield* startFull({ model: pairs?.model ?? usual })
      const app = yield* server.app(pairs?.data)
      const path = yield* server.upload(app, "fruit.txt", fruit)
      const client = yield* server.connect(app)
      yield* client.say({ action: "auto_file", inputs: { data: [{ id: "file", file_path: path }] } })
      yield* client.until(isClose)
      expect(told(client)).toEqual([
        ...head,
        "end/processing",
        "start/processing",
        "end/processing",
        "start/processing",
        ...answered.slice(head.length)
      ])
      expect(client.frames[4]?.intermediate_steps).toBe("当前Prompt设置无用户输入，PresetQuestion 不生效")
      expect(client.frames.at(-2)?.message).toBe(pairs?.answer)
    })
  )
})

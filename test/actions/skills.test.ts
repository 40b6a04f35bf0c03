import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { edge, node } from "../app/graphs.ts"
import { isClose, streamed } from "../support/client.ts"
import { closedTimes, errorIn, startFull, told } from "../support/fullServer.ts"
import { lastWords, type Speech } from "../support/speech.ts"
import { fruit, retrieval, type SkillGraph } from "./graphs.ts"

const question = "Which colour have pears?"

const steps = "stream/processing"
const head = ["begin/system", "start/processing"]
const answered = [...head, steps, "end/processing", "start/answer", "end/answer", "close/processing"]

interface SkillCase {
  readonly what: string
  readonly data: SkillGraph
  /** The key of the question among the inputs. */
  readonly key: string
  /** Whether it reads the file. */
  readonly reads?: boolean
  readonly model?: Speech
  readonly frames?: ReadonlyArray<string>
  readonly answer: string
  /** The categories of what is stored; absent: a question and its answer. */
  readonly rows?: ReadonlyArray<string>
  /** How often the model was asked. */
  readonly asked: number
  /** What it streams of the answer before it is held; absent: what is held is not shown. */
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

/** The file's part of {@link retrieval}, for another chain. */
const reader: SkillGraph = {
  nodes: retrieval().nodes.filter(({ id }) => !["combine", "qa"].includes(id)),
  edges: retrieval().edges.filter(({ target }) => !["combine", "qa"].includes(target))
}

const combining = (chain_type: string, modelSays: Speech, asked: number, partial = true): SkillCase => ({
  what: `RetrievalQA, ${chain_type}`,
  data: retrieval({ chain_type }, {}, {}),
  key: "query",
  reads: true,
  model: modelSays,
  answer: "green",
  asked,
  partial
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
    frames: [...head, "stream/processing", "end/processing", "start/answer", "end/answer", "close/processing"],
    answer: `<${question}>`,
    asked: 1,
    partial: true
  },
  combining("stuff", () => "green", 1),
  combining("map_reduce", () => "green", 2),
  combining("refine", () => "green", 1),
  combining("map_rerank", () => "green\nScore: 90", 1, false),
  {
    what: "ConversationalRetrievalChain",
    data: {
      nodes: [...reader.nodes, node("qa", "ConversationalRetrievalChain", { chain_type: "stuff" })],
      edges: [...reader.edges, edge("store", "qa", "retriever"), edge("model", "qa", "llm")]
    },
    key: "question",
    reads: true,
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
    reads: true,
    answer: green,
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
    reads: true,
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
    rows: ["question", "tool_call", "answer"],
    asked: 2,
    partial: true
  }
]

const opened = (one: SkillCase, speech: Speech) =>
  Effect.gen(function* () {
    const server = yield* startFull({ model: speech })
    const app = yield* server.app(one.data)
    const client = yield* server.connect(app)
    if (one.reads === true) {
      const path = yield* server.upload(app, "fruit.txt", fruit)
      yield* client.say({ action: "auto_file", inputs: { data: [{ id: "file", file_path: path }] } })
      yield* client.until(isClose)
    }
    return { server, client, from: client.frames.length, before: (yield* server.rows()).length }
  })

describe("a skill whose chain is a", () => {
  for (const one of cases) {
    // Its documents are its question: the form alone runs it.
    const takesNone = one.what === "QAGenerationChainV2"
    const speech = one.model ?? usual
    const ask = { inputs: { [one.key]: question } }

    if (takesNone) continue

    it.scopedLive(`${one.what} answers, and stores what it answered from`, () =>
      Effect.gen(function* () {
        const { server, client, from, before } = yield* opened(one, speech)
        yield* client.say(ask)
        yield* closedTimes(client, one.reads === true ? 2 : 1)
        expect(told(client, from)).toEqual(one.frames ?? answered)
        const end = client.frames.at(-2)
        expect(end?.message).toBe(one.answer)
        expect(server.model.requests).toHaveLength(one.asked)
        const rows = (yield* server.rows()).slice(before)
        expect(rows.map(({ category }) => category)).toEqual(one.rows ?? ["question", "answer"])
        expect(rows.at(-1)).toMatchObject({ id: end?.message_id, message: one.answer, remark: "" })
        expect(end?.source).toBe(one.reads === true ? 1 : 0)
        const chunks = (yield* server.chunks(end?.message_id)).map(({ chunk }) => chunk)
        expect(chunks).toEqual(one.reads === true ? [green] : [])
        expect((yield* server.run(client.frames[from]?.run_id)).status).toBe("done")
      })
    )

    if (one.asked === 0) continue

    it.scopedLive(`${one.what} fails in words when its model does`, () =>
      Effect.gen(function* () {
        const { server, client, from, before } = yield* opened(one, () => ({ fails: "the model is gone" }))
        yield* client.say(ask)
        yield* closedTimes(client, one.reads === true ? 2 : 1)
        expect(told(client, from).slice(-2)).toEqual(["end/error", "close/processing"])
        expect(yield* errorIn(client)).toMatchObject({
          status_code: 13005,
          data: { error: expect.stringContaining("the model is gone") }
        })
        expect((yield* server.rows()).slice(before).map(({ category }) => category)).toEqual(["question"])
      })
    )

    it.scopedLive(`${one.what} keeps what it has said when it is stopped`, () =>
      Effect.gen(function* () {
        const { server, client, from, before } = yield* opened(one, () => ({ holds: "It is " }))
        yield* client.say(ask)
        yield* server.model.holding(1)
        if (one.partial === true && one.asked === 1) {
          yield* client.until((frame) => streamed([frame]) === "It is ", "what is streamed")
        }
        yield* client.say({ action: "stop" })
        yield* server.model.interrupted(1)
        yield* closedTimes(client, one.reads === true ? 2 : 1)
        const rows = (yield* server.rows()).slice(before).map(({ message, remark }) => [message, remark])
        const shown = streamed(client.frames.slice(from))
        expect(rows).toEqual([[question, ""], ...(shown === "" ? [] : [[shown, "break_answer"]])])
        expect(told(client, from).slice(shown === "" ? -2 : -3)).toEqual([
          ...(shown === "" ? [] : ["end/answer"]),
          "end/processing",
          "close/processing"
        ])
        expect((yield* server.run(client.frames[from]?.run_id)).status).toBe("stopped")
      })
    )
  }
})

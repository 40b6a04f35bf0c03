import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { buildSkill } from "../../../src/app/skill/Skill.ts"
import { type LanguageModelService, ModelError } from "../../../src/model/LanguageModel.ts"
import { edge, node, skillRecord } from "../graphs.ts"
import { says } from "../scriptedModel.ts"
import { doc, makeBench, question, run, skill } from "./bench.ts"

const file = "a".repeat(32)
const docs = [
  doc("Apples are red."),
  doc("Pears are green.", { page: 2 }),
  doc("Plums are blue.", { page: 3 })
]
const files = { [file]: docs }

/** A file, searched and answered from. */
const graph = (
  combine: Readonly<Record<string, unknown>> = {},
  more: { nodes?: ReadonlyArray<unknown>; edges?: ReadonlyArray<ReturnType<typeof edge>>; qa?: object } = {}
) => ({
  nodes: [
    node("load", "PyPDFLoader", { file_path: `/api/v1/files/${file}?token=x` }),
    node("embed", "OpenAIEmbeddings"),
    node("store", "Milvus", { search_kwargs: '{"k": 3}' }),
    node("model", "ChatOpenAI", { model_name: "m", temperature: 0.1, top_p: "0.5", streaming: false }),
    node("combine", "CombineDocsChain", { chain_type: "stuff", token_max: -1, ...combine }),
    node("qa", "RetrievalQA", { input_key: "query", output_key: "result", ...more.qa }),
    ...(more.nodes ?? [])
  ],
  edges: [
    edge("load", "store", "documents"),
    edge("embed", "store", "embedding"),
    edge("store", "qa", "retriever"),
    edge("model", "combine", "llm"),
    edge("combine", "qa", "combine_documents_chain"),
    ...(more.edges ?? [])
  ]
})

describe("retrieval", () => {
  it.effect("finds passages, tells so, and answers from them with the model as the graph sets it", () =>
    Effect.gen(function* () {
      const { app, model, log } = yield* skill(graph(), { turns: [says("They are red")], files })
      expect(app.inputKey).toBe("query")
      const { lines, last } = yield* run(app, question("Which colour have apples?"))
      expect(log).toEqual([`read ${file}`, "index 3", "search 3 Which colour have apples?"])
      expect(lines[0]).toBe("Step Found 1 passage in guide.pdf")
      expect(lines.slice(2)).toEqual(["text They are red", "Answered They are red"])
      expect(last).toMatchObject({ source: 1, passages: [{ text: "Apples are red.", page: 1 }] })
      expect(model.requests[0]).toMatchObject({ model: "m", temperature: 0.1, topP: 0.5, streaming: false })
      const [system, user] = model.requests[0]?.messages ?? []
      expect(system?.content).toContain("Apples are red.")
      expect(system?.content).not.toContain("Pears")
      expect(user).toEqual({ role: "user", content: "Which colour have apples?" })
      yield* run(app, question("And pears?"))
      expect(log.slice(3)).toEqual(["search 3 And pears?"])
    })
  )

  it.effect("reads and indexes once however many ask at once", () =>
    Effect.gen(function* () {
      const { app, log } = yield* skill(graph(), { turns: [says("x")], files })
      yield* Effect.all(
        Array.from({ length: 20 }, () => run(app, question("apples"))),
        { concurrency: "unbounded" }
      )
      expect(log.filter((line) => !line.startsWith("search"))).toEqual([`read ${file}`, "index 3"])
    })
  )

  it.effect("gives the beginning where no word is shared", () =>
    Effect.gen(function* () {
      const { app, model } = yield* skill(graph(), { turns: [says("fruit")], files })
      const { last } = yield* run(app, question("这是什么？"))
      expect(last).toMatchObject({ passages: docs.map(({ text }) => ({ text, score: 0 })) })
      expect(model.requests[0]?.messages[0]?.content).toContain("Plums")
    })
  )

  it.effect("without documents of its own searches the app's files", () =>
    Effect.gen(function* () {
      const whole = graph({}, { qa: { return_source_documents: false } })
      const { app, log } = yield* skill(
        { nodes: whole.nodes.slice(1), edges: whole.edges.slice(1) },
        { turns: [says("x")], library: docs }
      )
      const { last } = yield* run(app, question("pears?"))
      expect(log).toEqual(["library bb 7 3 pears?"])
      expect(last).toMatchObject({ source: 0, passages: [] })
    })
  )

  it.effect("fails in words where there is no file, or none of that id", () =>
    Effect.gen(function* () {
      const whole = graph()
      const noFile = { ...whole, nodes: [node("load", "CSVLoader"), ...whole.nodes.slice(1)] }
      const one = yield* skill(noFile)
      expect((yield* run(one.app, question("?"))).exit).toMatchObject({
        cause: {
          error: {
            _tag: "RunFailed",
            kind: "skill",
            reason: 'upload a file first: node "load" (CSVLoader) has none to read'
          }
        }
      })
      const two = yield* skill(graph())
      expect((yield* run(two.app, question("?"))).exit).toMatchObject({
        cause: { error: { reason: `there is no document "${file}"` } }
      })
    })
  )

  it.effect("puts keyword and vector search together", () =>
    Effect.gen(function* () {
      const data = (strategy: string) => ({
        nodes: [
          node("a", "TextLoader", { file_path: file }),
          node("b", "TextLoader", { file_path: "b".repeat(32) }),
          node("v", "Milvus"),
          node("w", "ElasticKeywordsSearch"),
          node("mix", "MixEsVectorRetriever", { combine_strategy: strategy }),
          node("chain", "RetrievalChain")
        ],
        edges: [
          edge("a", "v", "documents"),
          edge("b", "w", "documents"),
          edge("v", "mix", "vector_retriever"),
          edge("w", "mix", "keyword_retriever"),
          edge("mix", "chain", "retriever")
        ]
      })
      const both = {
        files: {
          [file]: [doc("red one"), doc("red two")],
          ["b".repeat(32)]: [doc("red three"), doc("red one"), doc("red four")]
        }
      }
      const found = (strategy: string) =>
        Effect.gen(function* () {
          const { app } = yield* skill(data(strategy), both)
          const { last, lines } = yield* run(app, question("red"))
          expect(lines[1]).toMatch(/^text /)
          return last?._tag === "Answered" ? last.text.replaceAll("red ", "").split("\n\n") : []
        })
      expect(yield* found("keyword_front")).toEqual(["three", "one", "four", "two"])
      expect(yield* found("vector_front")).toEqual(["one", "two", "three", "four"])
      expect(yield* found("mix")).toEqual(["three", "one", "two", "four"])
    })
  )

  it.effect("loads pages of the web and calls their answers links", () =>
    Effect.gen(function* () {
      const url = "https://docs.example.com/a"
      const data = {
        nodes: [
          node("web", "WebBaseLoader", { web_path: `["${url}"]` }),
          node("cut", "RecursiveCharacterTextSplitter", {
            chunk_size: 40,
            chunk_overlap: 0,
            separators: "\\n"
          }),
          node("store", "Chroma"),
          node("chain", "RetrievalChain")
        ],
        edges: [
          edge("web", "cut", "documents"),
          edge("cut", "store", "documents"),
          edge("store", "chain", "retriever")
        ]
      }
      const text = `${"Apples ".repeat(5).trim()}\n${"Pears ".repeat(5).trim()}`
      const pages = { [url]: [doc(text, { fileId: "", fileName: "A", url })] }
      const { app, log } = yield* skill(data, { pages })
      const { last } = yield* run(app, question("pears"))
      expect(log.slice(0, 2)).toEqual([`read ${url}`, "index 2"])
      expect(last).toMatchObject({ source: 3, text: "Pears Pears Pears Pears Pears", passages: [{ url }] })
    })
  )
})

describe("an answer is combined", () => {
  const threeFiles = { files: { [file]: docs.map((one) => doc(`colour: ${one.text}`)) } }

  it.effect("by the graph's own prompts, passage by passage", () =>
    Effect.gen(function* () {
      const data = graph(
        { token_max: 12 },
        {
          nodes: [
            node("p", "PromptTemplate", { template: "Q={question} C={context}" }),
            node("d", "PromptTemplate", { template: "<{source} {page} {page_content}>" })
          ],
          edges: [edge("p", "combine", "prompt"), edge("d", "combine", "document_prompt")]
        }
      )
      const { app, model } = yield* skill(data, { turns: [says("ok")], files })
      yield* run(app, question("are apples or pears blue?"))
      // Of three passages one fits into so few tokens.
      expect(model.requests[0]?.messages).toEqual([
        {
          role: "user",
          content: expect.stringMatching(/^Q=are apples or pears blue\? C=<guide\.pdf \d \w+ are \w+\.>$/)
        }
      ])
    })
  )

  it.effect("map_reduce reads each passage unseen, then answers aloud", () =>
    Effect.gen(function* () {
      const turns = [says("one"), says("two"), says("three"), says("all of them")]
      const { app, model } = yield* skill(graph({ chain_type: ["map_reduce"] }), { turns, ...threeFiles })
      const { lines, last } = yield* run(app, question("Which colour?"))
      expect(model.requests).toHaveLength(4)
      expect(lines.filter((line) => line.startsWith("text"))).toEqual(["text all of them"])
      expect(lines.slice(0, 2)).toEqual([
        "Step Found 3 passages in guide.pdf",
        "Step Reading 3 passages one by one"
      ])
      expect(model.requests[3]?.messages[0]?.content).toContain("one\n\ntwo\n\nthree")
      expect(last).toMatchObject({ text: "all of them", usage: { promptTokens: 40, completionTokens: 12 } })
    })
  )

  it.effect("refine improves one answer by each passage", () =>
    Effect.gen(function* () {
      const turns = [says("first"), says("second"), says("third")]
      const { app, model } = yield* skill(graph({ chain_type: "refine" }), { turns, ...threeFiles })
      const { lines } = yield* run(app, question("Which colour?"))
      expect(model.requests.map(({ messages }) => messages[0]?.content.includes("colour:"))).toEqual([
        true,
        true,
        true
      ])
      expect(model.requests[1]?.messages[0]?.content).toContain("first")
      expect(model.requests[2]?.messages[0]?.content).toContain("second")
      expect(lines.filter((line) => line.startsWith("text"))).toEqual(["text third"])
    })
  )

  it.effect("map_rerank takes the answer with the best score", () =>
    Effect.gen(function* () {
      const turns = [says("no idea\nScore: 0"), says("it is green\n**Score**: 90"), says("blue?\n得分：40")]
      const { app } = yield* skill(graph({ chain_type: "map_rerank" }), { turns, ...threeFiles })
      const { lines, last } = yield* run(app, question("Which colour?"))
      expect(last).toMatchObject({ text: "it is green", passages: [{ text: "colour: Pears are green." }] })
      expect(lines.filter((line) => line.startsWith("text"))).toEqual(["text it is green"])
    })
  )

  it.effect("in no way that does not exist", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(skill(graph({ chain_type: "magic" })))
      expect(refused.reason).toBe(
        'node "combine" (CombineDocsChain): chain_type "magic" is none of stuff, map_reduce, refine, map_rerank'
      )
    })
  )

  it.effect("not at all when one step fails, and the others are not asked on", () =>
    Effect.gen(function* () {
      const broken = () => Effect.fail(new ModelError({ kind: "cut", reason: "the line broke" }))
      const { app, model } = yield* skill(graph({ chain_type: "refine" }), {
        turns: [says("first"), broken],
        ...threeFiles
      })
      const { exit, lines } = yield* run(app, question("Which colour?"))
      expect(exit).toMatchObject({
        cause: { error: { _tag: "RunFailed", kind: "skill", reason: "the line broke" } }
      })
      expect(model.requests).toHaveLength(2)
      expect(lines.some((line) => line.startsWith("text"))).toBe(false)
    })
  )

  it.effect(
    "stops in the middle of map_reduce: every request that runs is interrupted, no other begins",
    () =>
      Effect.gen(function* () {
        const busy = yield* Deferred.make<void>()
        let began = 0
        let interrupted = 0
        const hanging: LanguageModelService = {
          label: "hanging",
          generate: () =>
            Effect.suspend(() => {
              began++
              return began === 4
                ? Effect.zipRight(Deferred.succeed(busy, undefined), Effect.never)
                : Effect.never
            }).pipe(Effect.onInterrupt(() => Effect.sync(() => interrupted++)))
        }
        const many = Array.from({ length: 10 }, (_, n) => doc(`colour ${n}`))
        const { bench } = makeBench(hanging, { files: { [file]: many } })
        const whole = graph({ chain_type: "map_reduce" })
        const [load, embed, , ...others] = whole.nodes
        const wide = [load, embed, node("store", "FAISS", { search_kwargs: { k: 10 } }), ...others]
        const app = yield* buildSkill(skillRecord({ ...whole, nodes: wide }), bench)
        const fiber = yield* Effect.fork(run(app, question("Which colour?")))
        yield* Deferred.await(busy)
        yield* Fiber.interrupt(fiber)
        expect({ began, interrupted }).toEqual({ began: 4, interrupted: 4 })
      })
  )
})

describe("a conversation over documents", () => {
  const data = {
    nodes: [
      node("store", "Milvus"),
      node("model", "ChatOpenAI"),
      node("memory", "ConversationBufferWindowMemory", { memory_key: "chat_history", k: 1 }),
      node("chain", "ConversationalRetrievalChain", { chain_type: "stuff" })
    ],
    edges: [
      edge("store", "chain", "retriever"),
      edge("model", "chain", "llm"),
      edge("memory", "chain", "memory")
    ]
  }
  const library = [doc("Pears are green.")]

  it.effect("puts a question that leans on the last round so that it stands alone", () =>
    Effect.gen(function* () {
      const { app, model, log } = yield* skill(data, {
        turns: [says("Which colour have pears?"), says("green")],
        library
      })
      const { last } = yield* run(
        app,
        question("And pears?", {
          history: [
            { role: "user", content: "Long ago" },
            { role: "assistant", content: "yes", toolCalls: [] },
            { role: "user", content: "Which colour have apples?" },
            { role: "assistant", content: "red", toolCalls: [] }
          ]
        })
      )
      const condensing = model.requests[0]?.messages[0]?.content ?? ""
      expect(condensing).toContain("Human: Which colour have apples?\nAI: red")
      expect(condensing).not.toContain("Long ago")
      expect(log).toEqual(["library bb 7 4 Which colour have pears?"])
      expect(model.requests[1]?.messages.at(-1)?.content).toBe("Which colour have pears?")
      expect(last).toMatchObject({
        text: "green",
        source: 1,
        usage: { promptTokens: 20, completionTokens: 6 }
      })
    })
  )

  it.effect("asks the first question as it is", () =>
    Effect.gen(function* () {
      const { app, model, log } = yield* skill(data, { turns: [says("green")], library })
      yield* run(app, question("Which colour have pears?"))
      expect(model.requests).toHaveLength(1)
      expect(log).toEqual(["library bb 7 4 Which colour have pears?"])
    })
  )
})

import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeGraph, whatLacks } from "../../../src/app/skill/Skill.ts"
import { edge, node, promptGraph } from "../graphs.ts"
import { asksFor, says } from "../scriptedModel.ts"
import { doc, question, run, skill } from "./bench.ts"

const file = "a".repeat(32)

describe("a form", () => {
  const data = promptGraph("{context}|{who}|{input}", {
    nodes: [
      node("file", "InputFileNode", { file_path: "", file_type: "The contract" }),
      node("load", "ElemUnstructuredLoaderV0"),
      node("vars", "VariableNode", { variables: ["who", "when"], variable_value: ["nobody"] }),
      node("preset", "InputNode", { input: ["First?", " ", "Second?"] })
    ],
    edges: [
      edge("file", "load", "file_path"),
      edge("load", "prompt", "context"),
      edge("vars", "prompt", "who"),
      edge("preset", "chain", "input_node")
    ]
  })
  const files = { [file]: [doc("page one"), doc("page two")] }

  it.effect("says what can be filled in", () =>
    Effect.gen(function* () {
      const { app } = yield* skill(data)
      expect(app.inputKey).toBe("input")
      expect(app.form).toMatchObject({
        questions: [{ nodeId: "preset", texts: ["First?", "Second?"] }],
        files: [{ nodeId: "file", label: "The contract" }],
        variables: [{ nodeId: "vars", names: ["who", "when"] }],
        takesQuestion: true
      })
      expect((yield* skill(promptGraph("{input}"))).app.form).toBeUndefined()
    })
  )

  it.effect("fills documents and variables into the prompt; what is left out keeps the graph's value", () =>
    Effect.gen(function* () {
      const { app, model, log } = yield* skill(data, { turns: [says("ok")], files })
      const fill = app.form?.fill ?? (() => Effect.dieMessage("no form"))
      const ann = yield* fill({ files: { file }, variables: { vars: { who: "Ann", when: "now" } } })
      const plain = yield* fill({ files: { file }, variables: {} })
      for (const one of [ann, ann, plain]) yield* run(one, question("Q"))
      expect(model.requests.map(({ messages }) => messages[0]?.content)).toEqual([
        "page one\n\npage two|Ann|Q",
        "page one\n\npage two|Ann|Q",
        "page one\n\npage two|nobody|Q"
      ])
      // Once for each set of values: a warm question reads nothing again.
      expect(log).toEqual([`read ${file}`, `read ${file}`])
    })
  )

  it.effect("is built once for the same values, however many ask and in whatever order they stand", () =>
    Effect.gen(function* () {
      const { app } = yield* skill(data, { files })
      const fill = app.form?.fill ?? (() => Effect.dieMessage("no form"))
      const apps = yield* Effect.all(
        Array.from({ length: 10 }, (_, n) =>
          fill({
            files: { file },
            variables: { vars: n % 2 === 0 ? { who: "A", when: "B" } : { when: "B", who: "A" } }
          })
        ),
        { concurrency: "unbounded" }
      )
      expect(new Set(apps).size).toBe(1)
      expect(yield* fill({ files: { file }, variables: { vars: { who: "C" } } })).not.toBe(apps[0])
    })
  )

  it.effect("refuses what the graph has no place for", () =>
    Effect.gen(function* () {
      const { app } = yield* skill(data)
      const refused = (values: Parameters<NonNullable<typeof app.form>["fill"]>[0]) =>
        Effect.map(
          Effect.flip(app.form?.fill(values) ?? Effect.dieMessage("no form")),
          ({ reason }) => reason
        )
      expect(yield* refused({ files: { nowhere: file }, variables: {} })).toBe(
        'the app has no node "nowhere" that takes a file'
      )
      expect(yield* refused({ files: {}, variables: { file: {} } })).toBe(
        'the app has no node "file" that takes variables'
      )
      expect(yield* refused({ files: {}, variables: { vars: { whom: "x" } } })).toBe(
        'the node "vars" has no variable "whom"; it has "who", "when"'
      )
    })
  )

  it.effect("takes no question where every variable is supplied", () =>
    Effect.gen(function* () {
      const { app } = yield* skill(
        promptGraph("{all}", {
          nodes: [node("vars", "VariableNode", { variables: ["a", "b"] })],
          edges: [edge("vars", "prompt", "all")]
        }),
        { turns: [says("ok")] }
      )
      expect(app.form?.takesQuestion).toBe(false)
    })
  )
})

describe("a prompt's field", () => {
  it.effect("takes an output parser's instructions", () =>
    Effect.gen(function* () {
      const { app, model } = yield* skill(
        promptGraph("{input} {format}", {
          nodes: [
            node("age", "ResponseSchema", { name: "age", description: "in years", type: "number" }),
            node("parser", "StructuredOutputParser")
          ],
          edges: [edge("age", "parser", "response_schemas"), edge("parser", "prompt", "format")]
        }),
        { turns: [says("ok")] }
      )
      yield* run(app, question("Ann, 30"))
      expect(model.requests[0]?.messages[0]?.content).toMatch(
        /^Ann, 30 Write .*"age": number {2}\/\/ in years\n}/s
      )
    })
  )

  it.effect("takes no model", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(
        skill(promptGraph("{input}", { edges: [edge("model", "prompt", "input")] }))
      )
      expect(refused.reason).toBe('node "prompt" (PromptTemplate): a model cannot fill "input"')
    })
  )
})

describe("an agent", () => {
  const data = {
    nodes: [
      node("agent", "ZeroShotAgent", {
        prefix: "Answer as best you can. You have access to the following tools:",
        suffix: "answer in Chinese.\nBegin!Question: {query}Thought:{agent_scratchpad}",
        format_instructions: "Action: one of [{tool_names}]",
        input_variables: ["query", "agent_scratchpad"]
      }),
      node("model", "ChatOpenAI", { top_p: 0.4 }),
      node("sums", "Calculator"),
      node("expert", "Tool", { name: "ask 专家", description: "Knows pears" }),
      node("x-chain", "LLMChain"),
      node("x-prompt", "PromptTemplate", { template: "Expert: {question}" }),
      node("x-model", "ChatOpenAI")
    ],
    edges: [
      edge("model", "agent", "llm"),
      edge("sums", "agent", "tools"),
      edge("expert", "agent", "tools"),
      edge("x-chain", "expert", "func"),
      edge("x-prompt", "x-chain", "prompt"),
      edge("x-model", "x-chain", "llm")
    ]
  }

  it.effect("calls its tools, chains among them, and answers", () =>
    Effect.gen(function* () {
      const { app, model } = yield* skill(data, {
        turns: [
          asksFor(["calculator", { expression: "6*7" }]),
          asksFor(["ask", { input: "pears?" }]),
          says("They are green"),
          says("42 green pears")
        ]
      })
      expect(app.inputKey).toBe("query")
      const { events, lines } = yield* run(
        app,
        question("how many?", { history: [{ role: "user", content: "old" }] })
      )
      expect(model.requests[0]?.messages).toEqual([
        { role: "system", content: "Answer as best you can.\n\nanswer in Chinese." },
        { role: "user", content: "how many?" }
      ])
      expect(model.requests[0]).toMatchObject({ topP: 0.4 })
      expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual(["calculator", "ask"])
      expect(model.requests[2]?.messages[0]?.content).toBe("Expert: pears?")
      expect(events.filter((event) => event._tag === "ToolEnded")).toMatchObject([
        { output: "42", failed: false },
        { output: "They are green", failed: false }
      ])
      expect(lines.filter((line) => line.startsWith("text"))).toEqual([
        "text 42 ",
        "text green ",
        "text pears"
      ])
    })
  )

  it.effect("fails as a skill does", () =>
    Effect.gen(function* () {
      const { app } = yield* skill(data, { turns: [asksFor(["calculator", { expression: "1" }])] })
      expect((yield* run(app, question("?"))).exit).toMatchObject({
        cause: { error: { _tag: "RunFailed", kind: "skill" } }
      })
    })
  )
})

describe("chains in a row", () => {
  const data = {
    nodes: [
      node("all", "SequentialChain", { chain_order: '["one", "pass", "two"]', input_variables: ["topic"] }),
      node("two", "LLMChain", { output_key: "end" }),
      node("one", "LLMChain", { output_key: "title" }),
      node("pass", "TransformChain", { input_variables: ["title"], output_variables: ["name"] }),
      node("p1", "PromptTemplate", { template: "Title for {topic}" }),
      node("p2", "PromptTemplate", { template: "Play {name} on {topic}" }),
      node("model", "ChatOpenAI")
    ],
    edges: [
      edge("two", "all", "chains"),
      edge("one", "all", "chains"),
      edge("pass", "all", "chains"),
      edge("p1", "one", "prompt"),
      edge("p2", "two", "prompt"),
      edge("model", "one", "llm"),
      edge("model", "two", "llm")
    ]
  }

  it.effect("hand on what they answer by its key; only the last is heard", () =>
    Effect.gen(function* () {
      const { app, model } = yield* skill(data, { turns: [says("Storm"), says("The play")] })
      expect(app.inputKey).toBe("topic")
      const { last, lines } = yield* run(app, question("sea"))
      expect(model.requests.map(({ messages }) => messages[0]?.content)).toEqual([
        "Title for sea",
        "Play Storm on sea"
      ])
      expect(lines).toEqual([
        "Step Title for sea",
        "Step Storm",
        "Step Storm",
        "Step Play Storm on sea",
        "text The ",
        "text play",
        "Answered The play"
      ])
      expect(last).toMatchObject({ usage: { promptTokens: 20, completionTokens: 6 } })
    })
  )
})

describe("question and answer pairs", () => {
  const data = (fields: object) => ({
    nodes: [
      node("pairs", "QAGenerationChainV2", { chunk_size: 512, ...fields }),
      node("load", "TextLoader", { file_path: file }),
      node("model", "ChatOpenAI")
    ],
    edges: [edge("load", "pairs", "documents"), edge("model", "pairs", "llm")]
  })

  it.effect("come out of the documents as JSON", () =>
    Effect.gen(function* () {
      const prompt = {
        _type: "chat",
        messages: [{ prompt: { template: "Ask on:" } }, { prompt: { template: "{context}" } }]
      }
      const { app, model } = yield* skill(data({ prompt, k: 1 }), {
        turns: [says("问题：1. Which colour?\nbecause"), says("green")],
        files: { [file]: [doc("Pears are green."), doc("Plums are blue.")] }
      })
      expect(app.form).toBeUndefined()
      const { last } = yield* run(app, question(""))
      expect(last).toMatchObject({ source: 1, passages: [{ text: "Pears are green." }] })
      expect(last?._tag === "Answered" ? JSON.parse(last.text) : null).toEqual([
        { question: "Which colour?", answer: "green" }
      ])
      expect(model.requests[0]?.messages[0]?.content).toBe("Ask on:\nPears are green.")
      expect(model.requests[1]?.messages[0]?.content).toContain("Question: Which colour?")
    })
  )
})

describe("what cannot run here", () => {
  const lacking = (...nodes: ReadonlyArray<ReturnType<typeof node>>) =>
    Effect.map(decodeGraph({ nodes, edges: [] }), (graph) => whatLacks(graph))

  it.effect("is named with its reason, each node of it", () =>
    Effect.gen(function* () {
      const found = yield* lacking(
        node("m", "ChatOpenAI"),
        node("sql", "SQLDatabaseChain"),
        node("py", "PythonFunction", { code: "print()" }),
        node("change", "TransformChain", { transform: "def f(x): return x" }),
        node("sum", "ConversationSummaryMemory"),
        node("riddle", "Riddle"),
        node("toString", "toString")
      )
      expect(found.map(({ nodeId }) => nodeId)).toEqual(["sql", "py", "change", "sum", "riddle", "toString"])
      expect(found[0]?.reason).toBe("it needs a database to query: this server connects to none")
      expect(found[2]?.reason).toBe("it runs Python code: this server runs none")
      expect(found[4]?.reason).toBe("this server does not know its type")
    })
  )

  it.effect("is Bing with no key, a placeholder for one, or an address that is not Bing's", () =>
    Effect.gen(function* () {
      const bing = (fields: object) => lacking(node("bing", "BingSearchAPIWrapper", { ...fields }))
      for (const key of ["", "REMOVED", "<your key>", "x".repeat(10)]) {
        expect((yield* bing({ bing_subscription_key: key }))[0]?.reason, key).toContain(
          "needs a key for Bing"
        )
      }
      const key = "0123456789abcdef".repeat(2)
      expect(yield* bing({ bing_subscription_key: key })).toEqual([])
      for (const url of [
        "http://api.bing.microsoft.com/",
        "https://127.0.0.1/",
        "https://api.bing.microsoft.com.evil.example/"
      ]) {
        const found = yield* bing({ bing_subscription_key: key, bing_search_url: url })
        expect(found[0]?.reason, url).toContain("is none of Bing's")
      }
    })
  )
})

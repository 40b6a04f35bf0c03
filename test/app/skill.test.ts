import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Question } from "../../src/app/App.ts"
import { usualPrompt } from "../../src/app/skill/nodes/conversationChain.ts"
import { buildSkill } from "../../src/app/skill/Skill.ts"
import { ModelError, type ModelMessage } from "../../src/model/LanguageModel.ts"
import { Deltas } from "../../src/protocol/RunEvent.ts"
import { edge, node, promptGraph, skillRecord, template } from "./graphs.ts"
import { makeTranscript, says, scriptedModel } from "./scriptedModel.ts"
import { makeBench } from "./skill/bench.ts"

const build = (data: unknown) =>
  buildSkill(skillRecord(data), makeBench(scriptedModel(says("ok")).service).bench)

/** Why it cannot be built. */
const refusal = (data: unknown) =>
  Effect.map(Effect.flip(build(data)), (error) => `${error._tag}: ${error.reason}`)

const round: ReadonlyArray<ModelMessage> = [
  { role: "user", content: "I am Ann" },
  { role: "assistant", content: "", toolCalls: [{ id: "1", name: "clock", arguments: "{}" }] },
  { role: "tool", content: "noon", toolCallId: "1" },
  { role: "assistant", content: "Hello Ann", toolCalls: [] }
]

const ask = (data: unknown, question: Partial<Question> = {}, turn = says("As you say")) =>
  Effect.gen(function* () {
    const model = scriptedModel(turn)
    const app = yield* buildSkill(skillRecord(data), makeBench(model.service).bench)
    const transcript = makeTranscript()
    const exit = yield* app
      .answer({ text: "who am I?", inputs: {}, userId: 7, history: [], ...question })
      .pipe(
        Stream.tap((event) => Effect.sync(() => transcript.lines.push(event._tag))),
        Stream.runCollect,
        Effect.provideService(Deltas, transcript.sink),
        Effect.exit
      )
    const events = Exit.isSuccess(exit) ? [...exit.value] : []
    return {
      app,
      exit,
      events,
      lines: transcript.lines,
      request: model.requests[0],
      asked: model.requests.length
    }
  })

describe("Bisheng's templates", () => {
  it.effect("the plain conversation answers with the rounds before it", () =>
    Effect.gen(function* () {
      const { app, lines, events, request } = yield* ask(template("大模型对话"), {
        history: round.slice(0, 1)
      })
      expect(app).toMatchObject({ kind: "skill", flowType: 1, inputKey: "input", name: "Skill" })
      expect(lines).toEqual(["text As ", "text you ", "text say", "Answered"])
      expect(events).toEqual([
        {
          _tag: "Answered",
          text: "As you say",
          source: 0,
          passages: [],
          usage: { promptTokens: 10, completionTokens: 3 }
        }
      ])
      expect(request).toMatchObject({
        model: null,
        temperature: 0.3,
        tools: [],
        scope: { flowId: "b".repeat(32), userId: 7 }
      })
      expect(request?.messages).toEqual([
        { role: "system", content: usualPrompt.slice(0, usualPrompt.indexOf("\n\nCurrent conversation")) },
        { role: "user", content: "I am Ann" },
        { role: "user", content: "who am I?" }
      ])
    })
  )

  it.effect("the role play fills its prompt with the conversation so far", () =>
    Effect.gen(function* () {
      const { app, lines, events, request } = yield* ask(template("角色扮演"), {
        text: "我是小王",
        history: round
      })
      expect(app.inputKey).toBe("input")
      expect(lines).toEqual(["Step", "text As ", "text you ", "text say", "Answered"])
      const prompt = events[0]?._tag === "Step" ? events[0].text : ""
      expect(prompt).toMatch(/^System：\n你将扮演一个科技公司的面试官/)
      expect(prompt).toContain(
        "以下是你们的对话记录\n\nHuman: I am Ann\nAI: Hello Ann\n\n面试者：我是小王\n\n你的回答："
      )
      expect(request?.messages).toEqual([{ role: "user", content: prompt }])
    })
  )

  it.effect("a template that needs more than this server has says what", () =>
    Effect.gen(function* () {
      const reason = yield* refusal(template("联网搜索"))
      expect(reason).toContain("AppNotBuilt: this server cannot run these nodes: ")
      expect(reason).toMatch(
        /"BingSearchAPIWrapper-\w+" \(BingSearchAPIWrapper\): it needs a key for Bing: fill in "bing_subscription_key"$/
      )
    })
  )
})

describe("a graph is refused, in words, when", () => {
  it.effect("it is not one", () =>
    Effect.gen(function* () {
      for (const data of [
        null,
        undefined,
        3,
        "graph",
        [],
        {},
        { nodes: [] },
        { nodes: {}, edges: [] },
        { nodes: [{ id: "a" }], edges: [] }
      ]) {
        expect(yield* refusal(data), JSON.stringify(data)).toContain("this is not a graph: ")
      }
    })
  )

  it.effect("it has no node", () =>
    Effect.gen(function* () {
      expect(yield* refusal({ nodes: [], edges: [] })).toContain("the graph has no node")
    })
  )

  it.effect("an edge leads to nowhere", () =>
    Effect.gen(function* () {
      const graph = promptGraph("{input}")
      expect(
        yield* refusal({ ...graph, edges: [...graph.edges, edge("ghost", "chain", "memory")] })
      ).toContain('has no node "ghost"')
      expect(yield* refusal({ ...graph, edges: [...graph.edges, edge("model", "ghost", "llm")] })).toContain(
        'has no node "ghost"'
      )
    })
  )

  it.effect("a node is connected to nothing", () =>
    Effect.gen(function* () {
      const graph = promptGraph("{input}", { nodes: [node("lonely", "ConversationBufferMemory")] })
      expect(yield* refusal(graph)).toContain(
        'node "lonely" (ConversationBufferMemory) is not connected to any other'
      )
    })
  )

  it.effect("two nodes share an id", () =>
    Effect.gen(function* () {
      const graph = promptGraph("{input}", { nodes: [node("model", "ChatOpenAI")] })
      expect(yield* refusal(graph)).toContain('two nodes have the id "model"')
    })
  )

  it.effect("it runs in a circle", () =>
    Effect.gen(function* () {
      const graph = promptGraph("{input}", { edges: [edge("chain", "prompt", "input")] })
      expect(yield* refusal(graph)).toContain(
        'the graph runs in a circle through "chain" (LLMChain), "prompt" (PromptTemplate)'
      )
      const self = promptGraph("{input}", { edges: [edge("chain", "chain", "memory")] })
      expect(yield* refusal(self)).toContain('a circle through "chain" (LLMChain)')
    })
  )

  it.effect("its parts are missing, of the wrong kind or too many", () =>
    Effect.gen(function* () {
      const graph = promptGraph("{input}")
      const without = (field: string) => ({
        ...graph,
        edges: graph.edges.filter((one) => !one.targetHandle.includes(`|${field}|`))
      })
      expect(yield* refusal({ nodes: graph.nodes.slice(0, 2), edges: without("llm").edges })).toContain(
        'node "chain" (LLMChain) needs a model connected to "llm"'
      )
      expect(
        yield* refusal({ nodes: [graph.nodes[0], graph.nodes[2]], edges: without("prompt").edges })
      ).toContain('needs a prompt connected to "prompt"')
      expect(yield* refusal(promptGraph("{input}", { edges: [edge("model", "chain", "memory")] }))).toContain(
        '"memory" takes a memory, not a model'
      )
      const twice = promptGraph("{input}", {
        nodes: [node("other", "ChatOpenAI")],
        edges: [edge("other", "chain", "llm")]
      })
      expect(yield* refusal(twice)).toContain('"llm" takes one connection')
      expect(yield* refusal({ nodes: [graph.nodes[2]], edges: [] })).toContain(
        "the graph has no chain that answers"
      )
      const two = promptGraph("{input}", {
        nodes: [node("second", "LLMChain")],
        edges: [edge("prompt", "second", "prompt"), edge("model", "second", "llm")]
      })
      expect(yield* refusal(two)).toContain(
        'more than one chain would answer: "chain" (LLMChain), "second" (LLMChain)'
      )
    })
  )

  it.effect("a field has the wrong type", () =>
    Effect.gen(function* () {
      expect(yield* refusal(promptGraph("x", { prompt: { template: ["a"] } }))).toContain(
        'node "prompt" (PromptTemplate): template: Expected string'
      )
      const hot = { ...node("model", "ChatOpenAI", { temperature: "hot" }) }
      const graph = promptGraph("{input}")
      expect(yield* refusal({ ...graph, nodes: [graph.nodes[0], graph.nodes[1], hot] })).toContain(
        'node "model" (ChatOpenAI): temperature'
      )
    })
  )

  it.effect("a prompt makes no sense", () =>
    Effect.gen(function* () {
      expect(yield* refusal(promptGraph('{"a": 1}'))).toContain(
        'node "prompt" (PromptTemplate): its template has "{"a": 1}"'
      )
      expect(yield* refusal(promptGraph("{{ a }}", { prompt: { template_format: "jinja2" } }))).toContain(
        "templates in jinja2 are not supported"
      )
    })
  )

  it.effect("its 2,000 nodes hang together and one of them is unknown", () =>
    Effect.gen(function* () {
      const prompts = Array.from({ length: 2000 }, (_, n) =>
        node(`p${n}`, n === 1999 ? "Riddle" : "PromptTemplate", { template: "x" })
      )
      const edges = prompts.slice(1).map((_, n) => edge(`p${n}`, `p${n + 1}`, "context"))
      expect(yield* refusal({ nodes: prompts, edges })).toBe(
        'AppNotBuilt: this server cannot run these nodes: "p1999" (Riddle): this server does not know its type'
      )
    })
  )
})

describe("a prompt's variables", () => {
  it.effect("take the question, the other inputs, and what the graph says", () =>
    Effect.gen(function* () {
      const graph = promptGraph("{tone}|{topic}|{count}|{question}|{fixed}", {
        prompt: { tone: "kind", topic: "", count: "", fixed: "", partial_variables: { fixed: "yes" } }
      })
      const { app, request } = yield* ask(graph, { inputs: { question: "?", topic: "sea", count: [1, 2] } })
      expect(app.inputKey).toBe("question")
      expect(request?.messages).toEqual([{ role: "user", content: "kind|sea|[1,2]|who am I?|yes" }])
      expect(request?.temperature).toBe(0.2)
    })
  )

  it.effect("name the question's key: the only free one, the usual one, or the one the memory names", () =>
    Effect.gen(function* () {
      const key = (text: string, more: Parameters<typeof promptGraph>[1] = {}) =>
        Effect.map(build(promptGraph(text, more)), (app) => app.inputKey)
      const memory = (inputKey: string) => ({
        nodes: [node("memory", "ConversationBufferMemory", { memory_key: "past", input_key: inputKey })],
        edges: [edge("memory", "chain", "memory")]
      })
      expect(yield* key("{word}")).toBe("word")
      expect(yield* key("{past} {word}", memory(""))).toBe("word")
      expect(yield* key("{past} {a} {b}", memory("b"))).toBe("b")
      expect(yield* key("{a} {text}")).toBe("text")
      expect(yield* key("{a} {b}", { prompt: { a: "set" } })).toBe("b")
      expect(yield* key("no variable")).toBe("input")
    })
  )

  it.effect("that nobody brings fail the run by name", () =>
    Effect.gen(function* () {
      const { exit, lines, asked } = yield* ask(promptGraph("{style} {input}"))
      expect(exit).toMatchObject({
        cause: {
          error: {
            _tag: "RunFailed",
            kind: "skill",
            reason: 'the question brings no "style", which the prompt needs'
          }
        }
      })
      expect(lines).toEqual([])
      expect(asked).toBe(0)
    })
  )

  it.effect("never come from an object's prototype", () =>
    Effect.gen(function* () {
      const { exit } = yield* ask(promptGraph("{toString} {input}"))
      expect(Exit.isFailure(exit)).toBe(true)
    })
  )
})

describe("a conversation chain", () => {
  const graph = (
    fields: object,
    more: { nodes?: ReadonlyArray<unknown>; edges?: ReadonlyArray<ReturnType<typeof edge>> } = {}
  ) => ({
    nodes: [
      node("chain", "ConversationChain", { ...fields }),
      node("model", "ProxyChatLLM", { model_name: "m1" }),
      ...(more.nodes ?? [])
    ],
    edges: [edge("model", "chain", "llm"), ...(more.edges ?? [])]
  })

  it.effect("needs no prompt of its own", () =>
    Effect.gen(function* () {
      const { app, request } = yield* ask(graph({ input_key: "q" }), { history: round })
      expect(app.inputKey).toBe("q")
      expect(request).toMatchObject({ model: "m1", temperature: null })
      expect(request?.messages.map(({ role }) => role)).toEqual([
        "system",
        ...round.map(({ role }) => role),
        "user"
      ])
      expect(request?.messages.at(-1)?.content).toBe("who am I?")
    })
  )

  it.effect("fills a prompt of another shape as it stands", () =>
    Effect.gen(function* () {
      const { request } = yield* ask(
        graph(
          { input_key: "input" },
          {
            nodes: [
              node("prompt", "PromptTemplate", { template: "Past:\n{past}\nNow: {input}" }),
              node("memory", "ConversationBufferMemory", {
                memory_key: "past",
                human_prefix: "Q",
                ai_prefix: "A"
              })
            ],
            edges: [edge("prompt", "chain", "prompt"), edge("memory", "chain", "memory")]
          }
        ),
        { history: round }
      )
      expect(request?.messages).toEqual([
        { role: "user", content: "Past:\nQ: I am Ann\nA: Hello Ann\nNow: who am I?" }
      ])
    })
  )
})

it.effect("a skill's run fails in words when the model fails or says nothing", () =>
  Effect.gen(function* () {
    const cut = yield* ask(promptGraph("{input}"), {}, () =>
      Effect.fail(new ModelError({ kind: "cut", reason: "the line broke" }))
    )
    expect(cut.exit).toMatchObject({
      cause: { error: { _tag: "RunFailed", kind: "skill", reason: "the line broke" } }
    })
    const silent = yield* ask(promptGraph("{input}"), {}, says(""))
    expect(silent.exit).toMatchObject({ cause: { error: { reason: "the model gave no answer" } } })
  })
)

import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import {
  type Completion,
  LanguageModel,
  type ModelMessage,
  type ModelRequest,
  type ToolSpec
} from "../../src/model/LanguageModel.ts"
import { Library, type LibraryPassage } from "../../src/model/Library.ts"
import { intentOf } from "../../src/model/Offline/intent.ts"
import * as Offline from "../../src/model/Offline.ts"

const passages: ReadonlyArray<LibraryPassage> = [
  {
    text: "## Stop\n\nThe server keeps history. A **stop** interrupts the running answer at once. Nothing is lost.",
    fileId: "a",
    fileName: "docs/protocol.md",
    page: null,
    score: 9
  },
  { text: "停止按钮会立即中断回答。", fileId: "b", fileName: "手册.txt", page: 3, score: 4 }
]

/** Knows about stopping, and nothing else. */
const library = Layer.succeed(
  Library,
  Library.of({ search: ({ text }) => Effect.succeed(/stop|停止/i.test(text) ? passages : []) })
)

const tool = (name: string): ToolSpec => ({ name, description: name, parameters: { type: "object" } })
const tools = ["calculator", "current_time", "search_documents"].map(tool)

const asking = (
  messages: string | ReadonlyArray<ModelMessage>,
  offered: ReadonlyArray<ToolSpec> = []
): ModelRequest => ({
  model: null,
  temperature: null,
  messages: typeof messages === "string" ? [{ role: "user", content: messages }] : messages,
  tools: offered,
  scope: { flowId: "0".repeat(32), userId: 1 }
})

interface Heard extends Completion {
  readonly streamed: string
  readonly thought: string
}

/** The whole answer, however long it takes to say. */
const hear = (request: ModelRequest) =>
  Effect.gen(function* () {
    const model = yield* LanguageModel
    let streamed = ""
    let thought = ""
    const fiber = yield* Effect.fork(
      model.generate(request, {
        text: (delta) => {
          streamed += delta
        },
        reasoning: (delta) => {
          thought += delta
        }
      })
    )
    yield* TestClock.adjust("10 minutes")
    const heard: Heard = { ...(yield* Fiber.join(fiber)), streamed, thought }
    return heard
  })

const offline = <A, E>(effect: Effect.Effect<A, E, LanguageModel>) =>
  effect.pipe(Effect.provide(Offline.layer.pipe(Layer.provide(library))))

const callOf = (question: string, offered: ReadonlyArray<ToolSpec> = tools) =>
  hear(asking(question, offered)).pipe(
    Effect.map(({ toolCalls }) => toolCalls.map((call): unknown => [call.name, JSON.parse(call.arguments)]))
  )

const afterTool = (question: string, name: string, input: string, output: string) =>
  hear(
    asking(
      [
        { role: "user", content: question },
        { role: "assistant", content: "", toolCalls: [{ id: "c1", name, arguments: input }] },
        { role: "tool", content: output, toolCallId: "c1" }
      ],
      tools
    )
  )

describe("the offline model", () => {
  it.effect("streams 25 to 40 words a second, and what it streamed is what it returns", () =>
    offline(
      Effect.gen(function* () {
        const model = yield* LanguageModel
        let words = 0
        let streamed = ""
        const fiber = yield* Effect.fork(
          model.generate(asking("hello"), {
            text: (delta) => {
              words++
              streamed += delta
            },
            reasoning: () => undefined
          })
        )
        yield* TestClock.adjust(Duration.seconds(1))
        expect(words).toBeGreaterThanOrEqual(20)
        expect(words).toBeLessThanOrEqual(45)
        yield* TestClock.adjust(Duration.seconds(1))
        expect(words / 2).toBeGreaterThanOrEqual(25)
        expect(words / 2).toBeLessThanOrEqual(40)
        yield* TestClock.adjust("1 minute")
        expect((yield* Fiber.join(fiber)).text).toBe(streamed)
      })
    )
  )

  it.effect("says nothing more once it is interrupted", () =>
    offline(
      Effect.gen(function* () {
        const model = yield* LanguageModel
        let words = 0
        const count = () => {
          words++
        }
        const fiber = yield* Effect.fork(model.generate(asking("hello"), { text: count, reasoning: count }))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(fiber)
        const before = words
        yield* TestClock.adjust("1 minute")
        expect(before).toBeGreaterThan(0)
        expect(words).toBe(before)
      })
    )
  )

  it.effect("introduces itself for what it is, in the language it is greeted in", () =>
    offline(
      Effect.gen(function* () {
        for (const greeting of ["hello", "Good morning!", "who are you?", "what can you do"]) {
          const { text, toolCalls, usage } = yield* hear(asking(greeting, tools))
          expect(text).toContain("built-in offline model")
          expect(text).toContain("OPENAI_BASE_URL")
          expect(toolCalls).toEqual([])
          expect(usage).toEqual({ promptTokens: 0, completionTokens: 0 })
        }
        for (const greeting of ["你好", "您好！", "你是谁？", "你能做什么"]) {
          const { text } = yield* hear(asking(greeting, tools))
          expect(text).toContain("内置的离线模型")
          expect(text).toContain("OPENAI_BASE_URL")
        }
      })
    )
  )

  it.effect("admits that it follows no instructions and plays no role", () =>
    offline(
      Effect.gen(function* () {
        const greeted = yield* hear(
          asking([
            { role: "system", content: "You are a pirate." },
            { role: "user", content: "hello" }
          ])
        )
        expect(greeted.text).toContain("This app has instructions")
        expect((yield* hear(asking("Pretend to be a pirate"))).text).toContain("I cannot play a role")
        expect((yield* hear(asking("请扮演一个海盗"))).text).toContain("我无法扮演角色")
      })
    )
  )

  it.effect("quotes the passages that fit, cites them and lists their sources", () =>
    offline(
      Effect.gen(function* () {
        const { text, streamed, thought, reasoning } = yield* hear(asking("How does stop work?"))
        expect(text).toContain("> ")
        expect(text).toContain("A **stop** interrupts the running answer at once.")
        expect(text).not.toContain("## Stop")
        expect(text).toMatch(/\[1\]\n/)
        expect(text).toContain("- [1] docs/protocol.md")
        expect(text).toContain("- [2] 手册.txt, page 3")
        expect(streamed).toBe(text)
        expect(thought).toBe(reasoning)
        expect(thought).toContain("docs/protocol.md")
      })
    )
  )

  it.effect("answers a Chinese question in Chinese", () =>
    offline(
      Effect.gen(function* () {
        const { text, thought } = yield* hear(asking("怎么停止回答？"))
        expect(text).toContain("文档中是这样写的")
        expect(text).toContain("停止按钮会立即中断回答。")
        expect(text).toContain("- [2] 手册.txt，第 3 页")
        expect(thought).toContain("停止")
      })
    )
  )

  it.effect("says plainly that the documents hold nothing, and does not guess", () =>
    offline(
      Effect.gen(function* () {
        expect((yield* hear(asking("What is the capital of France?"))).text).toContain(
          "I found nothing about this"
        )
        expect((yield* hear(asking("法国的首都在哪里？"))).text).toContain("文档里没有找到相关内容")
        expect((yield* hear(asking(""))).text).toContain("found nothing")
      })
    )
  )
})

describe("with tools, the offline model", () => {
  it.effect("has sums calculated", () =>
    offline(
      Effect.gen(function* () {
        expect(yield* callOf("what is 12*(3+4)?")).toEqual([["calculator", { expression: "12*(3+4)" }]])
        expect(yield* callOf("12乘以7等于多少")).toEqual([["calculator", { expression: "12*7" }]])
      })
    )
  )

  it.effect("asks the clock, where a place is named for that place", () =>
    offline(
      Effect.gen(function* () {
        expect(yield* callOf("What time is it?")).toEqual([["current_time", {}]])
        expect(yield* callOf("今天星期几？")).toEqual([["current_time", {}]])
        expect(yield* callOf("what is the time in New York?")).toEqual([
          ["current_time", { timezone: "America/New_York" }]
        ])
        expect(yield* callOf("东京现在几点")).toEqual([["current_time", { timezone: "Asia/Tokyo" }]])
      })
    )
  )

  it.effect("looks everything else up", () =>
    offline(
      Effect.gen(function* () {
        const question = "How does stop work?"
        expect(yield* callOf(question)).toEqual([["search_documents", { query: question }]])
        expect((yield* hear(asking(question, tools))).finishReason).toBe("tool_calls")
      })
    )
  )

  it.effect("admits what it cannot do where a tool is missing", () =>
    offline(
      Effect.gen(function* () {
        expect((yield* hear(asking("what is 1+1?"))).text).toContain("no calculator")
        expect((yield* hear(asking("现在几点了？"))).text).toContain("时钟")
      })
    )
  )

  it.effect("tells what they found", () =>
    offline(
      Effect.gen(function* () {
        const sum = yield* afterTool("what is 12*(3+4)?", "calculator", '{"expression":"12*(3+4)"}', "84")
        expect(sum.text).toBe("12 × (3 + 4) = **84**")
        const failed = yield* afterTool(
          "what is 1/0?",
          "calculator",
          '{"expression":"1/0"}',
          "division by zero"
        )
        expect(failed.text).toContain("could not work this out: division by zero")
        const time = yield* afterTool(
          "现在几点",
          "current_time",
          "{}",
          "2026-01-02T03:04:05+08:00 Asia/Shanghai"
        )
        expect(time.text).toBe("现在是 **2026-01-02T03:04:05+08:00 Asia/Shanghai**。")
        const found = yield* afterTool(
          "How does stop work?",
          "search_documents",
          '{"query":"How does stop work?"}',
          JSON.stringify({ passages: [{ n: 1, file: "a.md", page: null, text: "Stop interrupts." }] })
        )
        expect(found.text).toContain("> Stop interrupts. [1]")
        expect(found.text).toContain("- [1] a.md")
        const empty = yield* afterTool("How does stop work?", "search_documents", "{}", '{"passages":[]}')
        expect(empty.text).toContain("I found nothing about this")
        const other = yield* afterTool("weather?", "weather", "{}", "sunny")
        expect(other.text).toContain("> sunny")
      })
    )
  )

  it.effect("takes a new question for new, whatever tools said before", () =>
    offline(
      Effect.gen(function* () {
        const { toolCalls } = yield* hear(
          asking(
            [
              { role: "user", content: "what is 1+1?" },
              {
                role: "assistant",
                content: "",
                toolCalls: [{ id: "c1", name: "calculator", arguments: "{}" }]
              },
              { role: "tool", content: "2", toolCallId: "c1" },
              { role: "assistant", content: "1 + 1 = **2**", toolCalls: [] },
              { role: "user", content: "what is 2+2?" }
            ],
            tools
          )
        )
        expect(toolCalls.map(({ arguments: input }) => input)).toEqual(['{"expression":"2+2"}'])
      })
    )
  )
})

describe("what a question wants", () => {
  it.each([
    ["2的10次方是多少？", "2^10"],
    ["15% of 80", "(15/100)*80"],
    ["80的15%是多少", "80*(15/100)"],
    ["百分之15乘以200", "(15/100)*200"],
    ["1,234 + 5 =", "1234+5"],
    ["3 x 4", "3*4"],
    ["what's 7 squared", "7^2"],
    ["square root of 81", "81^0.5"],
    ["how much is 100 divided by 8, please?", "100/8"],
    ["请帮我算一下 3.5 ÷ 0.7", "3.5/0.7"],
    ["１２＋３４等于几", "12+34"],
    ["-3 * (2 - 5)", "-3*(2-5)"]
  ])("%s is the sum %s", (question, expression) => {
    expect(intentOf(question)).toEqual({ _tag: "Arithmetic", expression })
  })

  it.each([
    "2024-05-01",
    "v1.2.3",
    "12",
    "(1+2",
    "call 010-1234",
    "what is the time complexity of quicksort?",
    "what is the time limit?",
    "what time is it in Narnia?",
    "会议时间是几点",
    "什么时间开会",
    "hello, how do I configure redis?",
    "你好，怎么停止一个会话？",
    "how do I act on an error?"
  ])("%s is looked up", (question) => {
    expect(intentOf(question)).toEqual({ _tag: "Lookup" })
  })
})

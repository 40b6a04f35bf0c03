import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { buildAssistant } from "../../src/app/assistant/Assistant.ts"
import { maxToolOutput } from "../../src/app/assistant/callTool.ts"
import { maxTurns } from "../../src/app/assistant/converse.ts"
import { type Tool, ToolFailed, type ToolResult } from "../../src/app/Tool.ts"
import { calculator } from "../../src/app/tools/calculator.ts"
import { type LanguageModelService, ModelError, type ModelMessage } from "../../src/model/LanguageModel.ts"
import { Deltas, type Passage } from "../../src/protocol/RunEvent.ts"
import type { Flow } from "../../src/storage/rows.ts"
import { asksFor, makeTranscript, says, scriptedModel } from "./scriptedModel.ts"

const record = (data: unknown): Flow => ({
  id: "a".repeat(32),
  name: "Helper",
  description: "",
  flow_type: 5,
  status: 2,
  user_id: 1,
  data,
  version_id: 1,
  create_time: new Date(0),
  update_time: new Date(0)
})

const tool = (name: string, run: Tool["run"], category: Tool["category"] = "tool"): Tool => ({
  spec: { name, description: name, parameters: { type: "object" } },
  category,
  run
})

const result = (output: string, passages: ReadonlyArray<Passage> = []): ToolResult => ({ output, passages })

const page = (text: string): Passage => ({ text, fileId: "f1", fileName: "guide.md", page: 2, score: 1 })

/** Asks an assistant with these tools one question; answers what happened, in order. */
const ask = (
  model: LanguageModelService,
  tools: ReadonlyArray<Tool>,
  history: ReadonlyArray<ModelMessage> = [],
  settings: object = { prompt: "Be brief." }
) =>
  Effect.gen(function* () {
    const transcript = makeTranscript()
    const app = yield* buildAssistant(
      record({ tools: tools.map(({ spec }) => spec.name), ...settings }),
      model,
      new Map(tools.map((one) => [one.spec.name, one]))
    )
    const exit = yield* app.answer({ text: "hello?", inputs: {}, userId: 7, history }).pipe(
      Stream.tap((event) =>
        Effect.sync(() => {
          if (event._tag === "ToolStarted") transcript.lines.push(`start ${event.name} ${event.input}`)
          else if (event._tag === "ToolEnded") {
            transcript.lines.push(`end ${event.failed ? "failed " : ""}${event.output}`)
          } else transcript.lines.push(event._tag)
        })
      ),
      Stream.runCollect,
      Effect.provideService(Deltas, transcript.sink),
      Effect.exit
    )
    return { lines: transcript.lines, exit, events: Exit.isSuccess(exit) ? [...exit.value] : [] }
  })

const reasonOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? String(exit.cause) : "no failure"

describe("an assistant without tool calls", () => {
  it.effect("streams the model's text and ends with the whole of it", () =>
    Effect.gen(function* () {
      const model = scriptedModel(says("Good morning to you"))
      const { lines, events } = yield* ask(
        model.service,
        [],
        [
          { role: "user", content: "hi" },
          { role: "assistant", content: "hello", toolCalls: [] }
        ]
      )
      expect(lines).toEqual(["text Good ", "text morning ", "text to ", "text you", "Answered"])
      expect(events).toEqual([
        {
          _tag: "Answered",
          text: "Good morning to you",
          source: 0,
          passages: [],
          usage: { promptTokens: 10, completionTokens: 3 }
        }
      ])
      expect(model.requests).toEqual([
        {
          model: null,
          temperature: null,
          tools: [],
          scope: { flowId: "a".repeat(32), userId: 7 },
          messages: [
            { role: "system", content: "Be brief." },
            { role: "user", content: "hi" },
            { role: "assistant", content: "hello", toolCalls: [] },
            { role: "user", content: "hello?" }
          ]
        }
      ])
    })
  )

  it.effect("gives the model the settings of its record", () =>
    Effect.gen(function* () {
      const model = scriptedModel(says("ok"))
      yield* ask(model.service, [], [], { model: "big-one", temperature: 0.7, unknown_key: [1] })
      expect(model.requests[0]).toMatchObject({ model: "big-one", temperature: 0.7 })
      expect(model.requests[0]?.messages).toEqual([{ role: "user", content: "hello?" }])
    })
  )

  it.effect("fails in words when the model fails or says nothing", () =>
    Effect.gen(function* () {
      const refused = yield* ask(
        scriptedModel(() => Effect.fail(new ModelError({ kind: "refused", reason: "wrong key" }))).service,
        []
      )
      expect(refused.exit).toMatchObject({
        cause: { error: { _tag: "RunFailed", reason: "wrong key", kind: "assistant" } }
      })
      const silent = yield* ask(scriptedModel(says("")).service, [])
      expect(reasonOf(silent.exit)).toContain("the model gave no answer")
    })
  )
})

describe("tool calls", () => {
  it.effect("are run, told to the model, and end in an answer, every event in order", () =>
    Effect.gen(function* () {
      const model = scriptedModel(asksFor(["calculator", { expression: "6*7" }]), says("It is 42"))
      const { lines, events } = yield* ask(model.service, [yield* calculator])
      expect(lines).toEqual([
        'start calculator {"expression":"6*7"}',
        "end 42",
        "text It ",
        "text is ",
        "text 42",
        "Answered"
      ])
      const [started, ended, answered] = events
      expect(started).toMatchObject({ callId: "call-1", turn: 1, category: "tool" })
      expect(started).toHaveProperty("id", expect.stringMatching(/^[0-9a-f]{32}$/))
      expect(ended).toMatchObject({
        failed: false,
        ...(started?._tag === "ToolStarted" ? { id: started.id } : {})
      })
      expect(answered).toMatchObject({ usage: { promptTokens: 20, completionTokens: 6 } })
      expect(model.requests[1]?.messages.slice(-2)).toEqual([
        {
          role: "assistant",
          content: "",
          toolCalls: [{ id: "call-1", name: "calculator", arguments: '{"expression":"6*7"}' }]
        },
        { role: "tool", content: "42", toolCallId: "call-1" }
      ])
      expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual(["calculator"])
    })
  )

  it.effect("of one turn run side by side and end in the order they were asked for", () =>
    Effect.gen(function* () {
      const second = yield* Deferred.make<void>()
      const slow = tool("slow", () => Effect.as(Deferred.await(second), result("first")))
      const quick = tool("quick", () => Effect.as(Deferred.succeed(second, undefined), result("second")))
      const model = scriptedModel(asksFor(["slow", {}], ["quick", {}]), says("done"))
      const { lines } = yield* ask(model.service, [slow, quick])
      expect(lines).toEqual([
        "start slow {}",
        "start quick {}",
        "end first",
        "end second",
        "text done",
        "Answered"
      ])
      expect(model.requests[1]?.messages.slice(-2)).toEqual([
        { role: "tool", content: "first", toolCallId: "call-1" },
        { role: "tool", content: "second", toolCallId: "call-2" }
      ])
    })
  )

  it.effect("that go wrong are told to the model, and the run goes on", () =>
    Effect.gen(function* () {
      const broken = tool("broken", () => Effect.fail(new ToolFailed({ reason: "no paper" })))
      const model = scriptedModel(
        asksFor(["broken", {}], ["missing", {}], ["broken", "{not json"], ["calculator", { expression: 1 }]),
        says("sorry")
      )
      const { lines } = yield* ask(model.service, [broken, yield* calculator])
      expect(lines.slice(4)).toEqual([
        "end failed no paper",
        'end failed there is no tool "missing"; there is "broken", "calculator"',
        "end failed the arguments are not valid JSON",
        "end failed wrong arguments: expression: Expected string, actual 1",
        "text sorry",
        "Answered"
      ])
      expect(model.requests[1]?.messages.at(-4)).toMatchObject({ role: "tool", content: "no paper" })
    })
  )

  it.effect("without arguments reach the tool as an empty object", () =>
    Effect.gen(function* () {
      const echo = tool("echo", (input) => Effect.succeed(result(JSON.stringify(input))))
      const { lines } = yield* ask(scriptedModel(asksFor(["echo", ""]), says("ok")).service, [echo])
      expect(lines[1]).toBe("end {}")
    })
  )

  it.effect("are interrupted after a minute", () =>
    Effect.gen(function* () {
      const stuck = tool("stuck", () => Effect.never)
      const run = yield* Effect.fork(ask(scriptedModel(asksFor(["stuck", {}]), says("ok")).service, [stuck]))
      yield* TestClock.adjust(Duration.seconds(60))
      expect((yield* Fiber.join(run)).lines[1]).toBe("end failed the tool took longer than 60 seconds")
    })
  )

  it.effect("with endless output are cut, at a whole character", () =>
    Effect.gen(function* () {
      const loud = tool("loud", () => Effect.succeed(result(`a${"🐳".repeat(maxToolOutput)}`)))
      const model = scriptedModel(asksFor(["loud", {}]), says("ok"))
      yield* ask(model.service, [loud])
      const read = model.requests[1]?.messages.at(-1)?.content ?? ""
      expect(read.length).toBeLessThanOrEqual(maxToolOutput)
      expect(read.length).toBeGreaterThan(maxToolOutput - 10)
      expect(read).not.toMatch(/\p{Surrogate}/u)
      expect(read).toMatch(/cut here: the output is longer than the model may read\)$/)
    })
  )

  it.effect("that find passages make them the answer's source, each once", () =>
    Effect.gen(function* () {
      const search = tool(
        "search",
        () => Effect.succeed(result("…", [page("one"), page("two")])),
        "knowledge"
      )
      const model = scriptedModel(asksFor(["search", {}]), asksFor(["search", {}]), says("see page 2"))
      const { events } = yield* ask(model.service, [search])
      expect(events[0]).toMatchObject({ category: "knowledge", turn: 1 })
      expect(events[2]).toMatchObject({ turn: 2 })
      expect(events.at(-1)).toMatchObject({ source: 1, passages: [page("one"), page("two")] })
    })
  )

  it.effect("cannot go round for ever", () =>
    Effect.gen(function* () {
      const model = scriptedModel(asksFor(["calculator", { expression: "1" }]))
      const { exit, lines } = yield* ask(model.service, [yield* calculator])
      expect(reasonOf(exit)).toContain(`the assistant found no answer in ${maxTurns} turns`)
      expect(model.requests).toHaveLength(maxTurns)
      expect(lines).toHaveLength(2 * (maxTurns - 1))
    })
  )

  it.effect("cannot come in hundreds at once", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 17 }, () => ["calculator", { expression: "1" }] as const)
      const { exit, lines } = yield* ask(scriptedModel(asksFor(...many)).service, [yield* calculator])
      expect(reasonOf(exit)).toContain("the model asked for 17 tools at once (limit 16)")
      expect(lines).toEqual([])
    })
  )
})

describe("stopping", () => {
  /** Something that never ends, and tells when it began and when it was interrupted. */
  const endless = Effect.gen(function* () {
    const began = yield* Deferred.make<void>()
    const interrupted = yield* Deferred.make<void>()
    const work = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never).pipe(
      Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
    )
    return { began, interrupted, work }
  })

  it.effect("reaches the model", () =>
    Effect.gen(function* () {
      const { began, interrupted, work } = yield* endless
      const run = yield* Effect.fork(ask(scriptedModel(() => work).service, []))
      yield* Deferred.await(began)
      yield* Fiber.interrupt(run)
      expect(yield* Deferred.isDone(interrupted)).toBe(true)
    })
  )

  it.effect("reaches every tool at work", () =>
    Effect.gen(function* () {
      const one = yield* endless
      const two = yield* endless
      const model = scriptedModel(asksFor(["one", {}], ["two", {}]), says("never"))
      const run = yield* Effect.fork(
        ask(model.service, [tool("one", () => one.work), tool("two", () => two.work)])
      )
      yield* Deferred.await(one.began)
      yield* Deferred.await(two.began)
      yield* Fiber.interrupt(run)
      expect(yield* Deferred.isDone(one.interrupted)).toBe(true)
      expect(yield* Deferred.isDone(two.interrupted)).toBe(true)
      expect(model.requests).toHaveLength(1)
    })
  )
})

describe("an assistant's settings", () => {
  const search = tool("search_documents", () => Effect.succeed(result("")), "knowledge")
  const all = new Map(
    [tool("calculator", search.run), tool("current_time", search.run), search].map((one) => [
      one.spec.name,
      one
    ])
  )

  const offered = (data: unknown) =>
    Effect.gen(function* () {
      const model = scriptedModel(says("ok"))
      const app = yield* buildAssistant(record(data), model.service, all)
      yield* Stream.runDrain(app.answer({ text: "?", inputs: {}, userId: 1, history: [] })).pipe(
        Effect.provideService(Deltas, makeTranscript().sink)
      )
      return model.requests[0]?.tools.map(({ name }) => name)
    })

  it.effect("offer all tools unless they list some", () =>
    Effect.gen(function* () {
      expect(yield* offered(null)).toEqual(["calculator", "current_time", "search_documents"])
      expect(yield* offered({ tools: null })).toEqual(["calculator", "current_time", "search_documents"])
      expect(yield* offered({ tools: [] })).toEqual([])
      expect(
        yield* offered({ tools: ["calculator", { tool_key: "current_time", id: 3 }, "calculator"] })
      ).toEqual(["calculator", "current_time"])
      expect(yield* offered({ tools: [], knowledge: [{ id: 1 }] })).toEqual(["search_documents"])
      expect(yield* offered({ tools: [], knowledge: [] })).toEqual([])
    })
  )

  it.effect("that ask for what is not here are refused by name", () =>
    Effect.gen(function* () {
      const bing = yield* Effect.flip(offered({ tools: ["bing_search", "calculator"] }))
      expect(bing).toMatchObject({
        _tag: "AppNotBuilt",
        reason: 'this server has no tool named "bing_search"'
      })
    })
  )

  it.effect("of the wrong shape are refused with the place", () =>
    Effect.gen(function* () {
      for (const [data, place] of [
        [{ temperature: "hot" }, "temperature"],
        [{ temperature: 3 }, "temperature"],
        [{ prompt: 5 }, "prompt"],
        [{ tools: "calculator" }, "tools"],
        ["text", "settings"]
      ]) {
        expect(String(yield* Effect.flip(offered(data))), JSON.stringify(data)).toContain(`${place}`)
      }
    })
  )
})

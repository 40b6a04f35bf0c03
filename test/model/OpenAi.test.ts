import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { LanguageModel, type ModelRequest, type TokenSink } from "../../src/model/LanguageModel.ts"
import * as OpenAi from "../../src/model/OpenAi.ts"
import { mockUpstream, pacedUpstream } from "../support/upstream.ts"

const key = "sk-test-0123456789abcdef"

const modelAt = (baseUrl: string, options: Partial<OpenAi.OpenAiOptions> = {}) =>
  Layer.build(
    OpenAi.layer({
      baseUrl,
      apiKey: Option.some(Redacted.make(key)),
      model: "test-model",
      retryDelay: "10 millis",
      ...options
    })
  ).pipe(Effect.map(Context.get(LanguageModel)))

const asking = (text: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: null,
  temperature: null,
  messages: [{ role: "user", content: text }],
  tools: [],
  scope: { flowId: "0".repeat(32), userId: 1 },
  ...more
})

/** Keeps what was streamed, piece by piece. */
const recording = () => {
  const text: Array<string> = []
  const reasoning: Array<string> = []
  const sink: TokenSink = { text: (delta) => text.push(delta), reasoning: (delta) => reasoning.push(delta) }
  return { text, reasoning, sink }
}

const words = (count: number, letter = "w") => Array.from({ length: count }, (_, at) => `${letter}${at} `)

/** Tokens that came together are one text. */
const tokensOf = (text: string) => text.match(/\S+ /g) ?? [text]

const calculator = { name: "calculator", description: "calculates", parameters: { type: "object" } }

describe("a streamed answer", () => {
  it.scopedLive("reaches the sink as it comes, in whole tokens, and is repeated whole, with its usage", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 1 })
      const model = yield* modelAt(upstream.url)
      const { sink, text, reasoning } = recording()
      const completion = yield* model.generate(asking("tokens=30 reasoning=5"), sink)
      expect(text[0]).toBe("w0 ")
      expect(text.length).toBeGreaterThan(10)
      expect(text.flatMap(tokensOf)).toEqual(words(30))
      expect(reasoning).toEqual(words(5, "r"))
      expect(completion).toEqual({
        text: words(30).join(""),
        reasoning: words(5, "r").join(""),
        toolCalls: [],
        usage: { promptTokens: 7, completionTokens: 35 },
        finishReason: "stop"
      })
    })
  )

  it.scopedLive("uses one connection for answers that follow each other", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 1, tokens: 2 })
      const model = yield* modelAt(upstream.url)
      const before = (yield* upstream.stats).connections
      yield* Effect.repeatN(model.generate(asking("hi"), recording().sink), 4)
      expect((yield* upstream.stats).requests).toBe(5)
      expect((yield* upstream.stats).connections - before).toBeLessThanOrEqual(2)
    })
  )

  it.scopedLive(
    "comes from a server that knows no stream_options, which is asked without them afterwards",
    () =>
      Effect.gen(function* () {
        const upstream = yield* pacedUpstream({ delay: 1, tokens: 3, stream_options: "reject" })
        const model = yield* modelAt(upstream.url)
        const first = yield* model.generate(asking("hi"), recording().sink)
        const second = yield* model.generate(asking("hi"), recording().sink)
        expect([first.text, second.text]).toEqual(["w0 w1 w2 ", "w0 w1 w2 "])
        expect(first.usage).toEqual({ promptTokens: 0, completionTokens: 0 })
        expect((yield* upstream.stats).requests).toBe(3)
      })
  )

  it.scopedLive("puts a tool call together from its pieces, and goes on with the tool's result", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 1 })
      const model = yield* modelAt(upstream.url)
      const question = 'tokens=2 tool=calculator:{"expression":"12*(3+4)"}'
      const { sink, text } = recording()
      const first = yield* model.generate(asking(question, { tools: [calculator] }), sink)
      expect(text).toEqual([])
      expect(first.finishReason).toBe("tool_calls")
      expect(first.toolCalls).toEqual([
        { id: expect.stringMatching(/^call_/), name: "calculator", arguments: '{"expression":"12*(3+4)"}' }
      ])
      const second = yield* model.generate(
        asking(question, {
          tools: [calculator],
          messages: [
            { role: "user", content: question },
            { role: "assistant", content: "", toolCalls: first.toolCalls },
            { role: "tool", content: "84", toolCallId: first.toolCalls[0]?.id ?? "" }
          ]
        }),
        sink
      )
      expect(second.text).toBe("w0 w1 ")
    })
  )
})

describe("the real service's shapes (aimock)", () => {
  it.scopedLive("text, reasoning, tool calls and usage are understood", () =>
    Effect.gen(function* () {
      const { mock, url } = yield* mockUpstream()
      mock.onMessage("greet", { content: "Hello, wörld — 你好!", reasoning: "They want a greeting." })
      mock.onMessage("compute", {
        toolCalls: [
          { name: "calculator", arguments: '{"expression":"1+1"}' },
          { name: "current_time", arguments: "{}" }
        ]
      })
      const model = yield* modelAt(url)
      const { sink, text, reasoning } = recording()
      const greeted = yield* model.generate(asking("greet"), sink)
      expect(text.join("")).toBe("Hello, wörld — 你好!")
      expect(reasoning.join("")).toBe("They want a greeting.")
      expect(greeted.finishReason).toBe("stop")
      expect(greeted.usage.completionTokens).toBeGreaterThan(0)
      const called = yield* model.generate(asking("compute", { tools: [calculator] }), sink)
      expect(called.toolCalls.map(({ name, arguments: input }) => [name, input])).toEqual([
        ["calculator", '{"expression":"1+1"}'],
        ["current_time", "{}"]
      ])
      expect(new Set(called.toolCalls.map(({ id }) => id)).size).toBe(2)
    })
  )

  it.scopedLive("the request carries model, temperature, tools and the whole conversation", () =>
    Effect.gen(function* () {
      const { mock, url } = yield* mockUpstream()
      mock.onToolResult("call_1", { content: "done" })
      const model = yield* modelAt(url)
      const call = { id: "call_1", name: "calculator", arguments: "{}" }
      yield* model.generate(
        asking("", {
          model: "other-model",
          temperature: 0.2,
          tools: [calculator],
          messages: [
            { role: "system", content: "Be brief." },
            { role: "user", content: "1+1?" },
            { role: "assistant", content: "", toolCalls: [call] },
            { role: "tool", content: "2", toolCallId: "call_1" }
          ]
        }),
        recording().sink
      )
      expect(mock.getLastRequest()?.body).toMatchObject({
        model: "other-model",
        temperature: 0.2,
        stream: true,
        stream_options: { include_usage: true },
        tools: [{ type: "function", function: calculator }],
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "1+1?" },
          {
            role: "assistant",
            content: null,
            tool_calls: [
              { id: "call_1", type: "function", function: { name: "calculator", arguments: "{}" } }
            ]
          },
          { role: "tool", tool_call_id: "call_1", content: "2" }
        ]
      })
    })
  )

  it.scopedLive("a 429 with Retry-After is waited for and tried again", () =>
    Effect.gen(function* () {
      const { mock, url } = yield* mockUpstream()
      mock.onMessage("hi", { content: "at last" })
      mock.nextRequestError(429, { message: "slow down" })
      const model = yield* modelAt(url)
      const completion = yield* model.generate(asking("hi"), recording().sink)
      expect(completion.text).toBe("at last")
      expect(mock.getRequests()).toHaveLength(2)
    })
  )

  it.scopedLive("an answer cut in the middle fails as cut, and is not tried again", () =>
    Effect.gen(function* () {
      const { mock, url } = yield* mockUpstream()
      mock.onMessage(
        "hi",
        { content: "one two three four five six seven" },
        { truncateAfterChunks: 3, chunkSize: 4, latency: 20 }
      )
      const model = yield* modelAt(url)
      const { sink, text } = recording()
      const error = yield* Effect.flip(model.generate(asking("hi"), sink))
      expect(error.kind).toBe("cut")
      expect(text.join("")).not.toBe("")
      expect(mock.getRequests()).toHaveLength(1)
    })
  )
})

describe("an interruption", () => {
  it.scopedLive("closes the upstream's socket at once, and at most one more chunk is sent", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 20, tokens: 1_000 })
      const model = yield* modelAt(upstream.url)
      const tenth = yield* Deferred.make<void>()
      let received = 0
      const sink: TokenSink = {
        text: () => {
          received++
          if (received === 10) Deferred.unsafeDone(tenth, Effect.void)
        },
        reasoning: () => undefined
      }
      const fiber = yield* Effect.fork(model.generate(asking("go"), sink))
      yield* Deferred.await(tenth)
      const exit = yield* Fiber.interrupt(fiber)
      const atInterrupt = received
      expect(Exit.isInterrupted(exit)).toBe(true)
      const stats = yield* upstream.statsWhen((now) => now.active === 0)
      expect(stats.closedByClient).toBe(1)
      expect(stats.lastChunks).toBeLessThanOrEqual(atInterrupt + 1)
      expect(received).toBe(atInterrupt)
    })
  )

  it.scopedLive("ends a request that was never answered", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream()
      const model = yield* modelAt(upstream.url)
      const fiber = yield* Effect.fork(model.generate(asking("hang=1"), recording().sink))
      yield* upstream.statsWhen((now) => now.active === 1)
      yield* Fiber.interrupt(fiber)
      expect((yield* upstream.statsWhen((now) => now.active === 0)).closedByClient).toBe(1)
    })
  )
})

describe("time limits", () => {
  it.scopedLive("a server that does not begin to answer fails as timeout, once", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream()
      const model = yield* modelAt(upstream.url, { firstByteTimeout: "100 millis" })
      const error = yield* Effect.flip(model.generate(asking("hang=1"), recording().sink))
      expect(error.kind).toBe("timeout")
      expect(error.reason).toContain("did not begin")
      const stats = yield* upstream.statsWhen((now) => now.active === 0)
      expect([stats.requests, stats.closedByClient]).toEqual([1, 1])
    })
  )

  it.scopedLive("a server that falls silent in mid-answer fails as timeout; a slow one does not", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream()
      const model = yield* modelAt(upstream.url, { chunkTimeout: "250 millis" })
      const slow = yield* model.generate(asking("tokens=6 delay=80"), recording().sink)
      expect(slow.text).toBe(words(6).join(""))
      const { sink, text } = recording()
      const error = yield* Effect.flip(model.generate(asking("tokens=9 stall=3 delay=1"), sink))
      expect(error.kind).toBe("timeout")
      expect(text.flatMap(tokensOf)).toEqual(words(3))
      expect((yield* upstream.statsWhen((now) => now.active === 0)).closedByClient).toBe(1)
    })
  )
})

describe("failures", () => {
  it.scopedLive("5xx and dropped connections are tried again before the first token", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 1, tokens: 2 })
      const model = yield* modelAt(upstream.url)
      const completion = yield* model.generate(asking("status=503 times=2"), recording().sink)
      expect(completion.text).toBe("w0 w1 ")
      expect((yield* upstream.stats).requests).toBe(3)
    })
  )

  it.scopedLive("but twice at most", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream()
      const model = yield* modelAt(upstream.url)
      const error = yield* Effect.flip(model.generate(asking("status=500"), recording().sink))
      expect(error.kind).toBe("unreachable")
      expect(error.reason).toBe("The model server failed (500): paced refusal")
      expect((yield* upstream.stats).requests).toBe(3)
    })
  )

  it.scopedLive("what a second try cannot mend is not tried again", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream()
      const model = yield* modelAt(upstream.url)
      const kinds = yield* Effect.forEach([400, 401, 404, 307], (status) =>
        Effect.flip(model.generate(asking(`status=${status}`), recording().sink))
      )
      expect(kinds.map(({ kind }) => kind)).toEqual(["refused", "refused", "refused", "refused"])
      expect((yield* upstream.stats).requests).toBe(4)
    })
  )

  it.scopedLive("a server that asks for too much patience fails as rate_limited at once", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream()
      const model = yield* modelAt(upstream.url)
      const error = yield* Effect.flip(
        model.generate(asking("status=429 retry_after=3600"), recording().sink)
      )
      expect(error.kind).toBe("rate_limited")
      expect((yield* upstream.stats).requests).toBe(1)
    })
  )

  it.scopedLive("a socket that breaks in mid-answer fails as cut", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 1 })
      const model = yield* modelAt(upstream.url)
      const { sink, text } = recording()
      const error = yield* Effect.flip(model.generate(asking("cut=3"), sink))
      expect(error.kind).toBe("cut")
      expect(text.flatMap(tokensOf)).toEqual(words(3))
      expect((yield* upstream.stats).requests).toBe(1)
    })
  )

  it.scopedLive("a server that dies in mid-answer, and one that is not there", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 5, tokens: 10_000 })
      const model = yield* modelAt(upstream.url)
      const begun = yield* Deferred.make<void>()
      const sink: TokenSink = {
        text: () => Deferred.unsafeDone(begun, Effect.void),
        reasoning: () => undefined
      }
      const fiber = yield* Effect.fork(Effect.flip(model.generate(asking("go"), sink)))
      yield* Deferred.await(begun)
      yield* upstream.kill
      expect((yield* Fiber.join(fiber)).kind).toBe("cut")
      const gone = yield* Effect.flip(model.generate(asking("go"), recording().sink))
      expect(gone.kind).toBe("unreachable")
      expect(gone.reason).toContain("ECONNREFUSED")
      expect(gone.reason).toContain("OPENAI_BASE_URL")
    })
  )

  it.scopedLive("never show the key, even where the server repeats it", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ echo: 1 })
      const model = yield* modelAt(upstream.url)
      const errors = yield* Effect.forEach([400, 401, 500], (status) =>
        Effect.sandbox(model.generate(asking(`status=${status}`), recording().sink)).pipe(Effect.flip)
      )
      for (const cause of errors) {
        const shown = inspect(cause, { depth: null }) + Cause.pretty(cause)
        expect(shown).toContain("[redacted]")
        expect(shown).not.toContain(key)
        expect(shown).not.toContain("0123456789abcdef")
      }
      expect(model.label).toBe(`test-model at ${upstream.url}`)
    })
  )

  it.scopedLive("a sink that throws is a defect of ours, and the request ends", () =>
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ delay: 1, tokens: 1_000 })
      const model = yield* modelAt(upstream.url)
      const sink: TokenSink = {
        text: () => {
          throw new Error("sink")
        },
        reasoning: () => undefined
      }
      const exit = yield* Effect.exit(model.generate(asking("go"), sink))
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
      expect((yield* upstream.statsWhen((now) => now.active === 0)).closedByClient).toBe(1)
    })
  )
})

describe("settings that make no sense", () => {
  it.effect("stop the layer with a sentence about the setting", () =>
    Effect.gen(function* () {
      for (const baseUrl of ["not a url", "ftp://host/v1", ""]) {
        const error = yield* Effect.flip(Effect.scoped(modelAt(baseUrl)))
        expect(ConfigError.isConfigError(error)).toBe(true)
        expect(String(error)).toContain("OPENAI_BASE_URL")
      }
      const apiKey = Option.some(Redacted.make("two\nlines-of-a-key"))
      const error = yield* Effect.flip(Effect.scoped(modelAt("http://127.0.0.1:1/v1", { apiKey })))
      expect(String(error)).toContain("OPENAI_API_KEY")
      expect(inspect(error, { depth: null })).not.toContain("lines-of-a-key")
    })
  )

  it.effect("a password in the address is not shown in the label", () =>
    Effect.gen(function* () {
      const model = yield* Effect.scoped(modelAt("http://user:secret-word@127.0.0.1:9/v1"))
      expect(model.label).toBe("test-model at http://127.0.0.1:9/v1")
    })
  )
})

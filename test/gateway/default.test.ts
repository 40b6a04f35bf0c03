import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { flowIds } from "../support/apps.ts"
import { isClose, nameOf, streamed } from "../support/client.ts"
import { startServer } from "../support/server.ts"

describe("a question to an assistant", () => {
  it.scopedLive("is answered by the frames of the protocol, in order, and stored", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say({ inputs: { input: "hello there" } })
      yield* client.until(isClose)
      const names = client.frames.map(nameOf).filter((name) => name !== "stream/processing")
      expect(names).toEqual([
        "begin/processing",
        "start/processing",
        "end/processing",
        "start/answer",
        "end_cover/answer",
        "close/processing"
      ])
      expect(streamed(client.frames)).toBe("echo: hello there")
      expect(
        client.frames.every(({ chat_id, flow_id }) => chat_id === "c1" && flow_id === flowIds.echo)
      ).toBe(true)
      expect(client.frames.map(({ seq }) => seq)).toEqual(client.frames.map((_, i) => i + 1))
      expect(new Set(client.frames.map(({ run_id }) => run_id)).size).toBe(1)
      const rows = yield* messages("c1")
      expect(rows.map(({ category, message, is_bot }) => [category, message, is_bot])).toEqual([
        ["question", "hello there", false],
        ["answer", "echo: hello there", true]
      ])
      const end = client.frames.find(({ type }) => type === "end_cover")
      expect(end?.message_id).toBe(rows[1]?.id)
      expect(client.frames[0]?.question?.message_id).toBe(rows[0]?.id)
    })
  )

  it.scopedLive("shows each tool call as a bubble whose start and end share one run id", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const client = yield* connect(flowIds.tool, { chat: "c1" })
      yield* client.say({ inputs: { input: "6*7?" } })
      yield* client.until(isClose)
      const bubbles = client.frames.filter(({ category }) => category === "tool")
      expect(bubbles.map(nameOf)).toEqual(["start/tool", "end/tool"])
      expect(bubbles[0]?.extra).toBe(bubbles[1]?.extra)
      expect(bubbles[0]?.extra).toMatch(/"run_id":"[0-9a-f]{32}"/)
      expect(String(bubbles[0]?.message)).toContain('"input_str":"{\\"expression\\":\\"6*7\\"}"')
      expect(String(bubbles[1]?.message)).toBe('{"tool_key":"calculator","output":"42"}')
      const rows = yield* messages("c1")
      expect(rows.map(({ category }) => category)).toEqual(["question", "tool", "answer"])
      expect(bubbles[1]?.message_id).toBe(rows[1]?.id)
    })
  )

  it.scopedLive("reminds the model of tool calls and their results", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.tool, { chat: "c1" })
      yield* client.say({ inputs: { input: "6*7?" } })
      yield* client.until(isClose)
      yield* client.say({ inputs: { input: "what do you remember?" } })
      yield* client.untilCount(isClose, 2)
      const answers = client.frames.filter(({ category, type }) => category === "answer" && type !== "start")
      expect(JSON.parse(String(answers[1]?.message))).toEqual([
        { role: "user", content: "6*7?" },
        {
          role: "assistant",
          content: "",
          toolCalls: [{ id: "call_1", name: "calculator", arguments: '{"expression":"6*7"}' }]
        },
        { role: "tool", content: "42", toolCallId: "call_1" },
        { role: "assistant", content: "it is 42", toolCalls: [] }
      ])
    })
  )

  it.scopedLive("gives the model the last ten complete rounds", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      for (let i = 1; i <= 12; i++) {
        yield* client.say({ inputs: { input: `q${i}` } })
        yield* client.untilCount(isClose, i)
      }
      yield* client.say({ inputs: { input: "what do you remember?" } })
      yield* client.untilCount(isClose, 13)
      const answer = client.frames.findLast(({ type }) => type === "end_cover")
      const remembered = JSON.parse(String(answer?.message))
      expect(remembered).toHaveLength(20)
      expect(remembered[0]).toBe("q3")
      expect(remembered[19]).toBe("echo: q12")
    })
  )

  it.scopedLive("is forgotten by the model after clear_history, and stays stored", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say({ inputs: { input: "a secret" } })
      yield* client.until(isClose)
      yield* client.say({ clear_history: true })
      yield* client.say({ inputs: { input: "what do you remember?" } })
      yield* client.untilCount(isClose, 2)
      const answer = client.frames.findLast(({ type }) => type === "end_cover")
      expect(answer?.message).toBe("[]")
      expect(yield* messages("c1")).toHaveLength(4)
    })
  )
})

describe("a question to a skill", () => {
  it.scopedLive("begins as system, tells its steps, and ends its answer", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const client = yield* connect(flowIds.skill, { chat: "c1" })
      yield* client.say({ inputs: { input: "hi", id: "LLMChain-1" } })
      yield* client.until(isClose)
      const names = client.frames
        .filter(({ type, intermediate_steps }) => type !== "stream" || intermediate_steps !== null)
        .map(nameOf)
      expect(names).toEqual([
        "begin/system",
        "start/processing",
        "stream/processing",
        "end/processing",
        "start/answer",
        "end/answer",
        "close/processing"
      ])
      expect(client.frames.find((frame) => nameOf(frame) === "end/processing")?.intermediate_steps).toBe(
        "prompt: hi"
      )
      const rows = yield* messages("c1")
      expect(rows[1]).toMatchObject({ message: "skill: hi", intermediate_steps: "prompt: hi" })
    })
  )

  it.scopedLive("is taken from the only other text among the inputs when the app's own key is absent", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.skill, { chat: "c1" })
      yield* client.say({ inputs: { query: "by another name", id: "LLMChain-1" } })
      yield* client.until(isClose)
      expect(client.frames.find((frame) => nameOf(frame) === "end/answer")?.message).toBe(
        "skill: by another name"
      )
    })
  )
})

describe("the first accepted question", () => {
  it.scopedLive("makes the session's row and one audit row, once, however many sockets race", () =>
    Effect.gen(function* () {
      const { connect, session, audit } = yield* startServer()
      const clients = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => connect(flowIds.echo, { chat: "c1" }),
        {
          concurrency: "unbounded"
        }
      )
      expect(Option.isNone(yield* session("c1"))).toBe(true)
      yield* Effect.forEach(clients, (client, i) => client.say({ inputs: { input: `question ${i}` } }), {
        concurrency: "unbounded"
      })
      yield* Effect.forEach(clients, (client) => client.untilCount(isClose, 8), { concurrency: "unbounded" })
      expect(Option.getOrThrow(yield* session("c1"))).toMatchObject({
        flow_id: flowIds.echo,
        flow_type: 5,
        name: expect.stringMatching(/^question \d$/)
      })
      const entries = yield* audit("c1")
      expect(entries.map(({ action }) => action)).toEqual(["chat.create"])
    })
  )
})

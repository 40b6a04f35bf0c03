import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { isClose, nameOf, type TestClient } from "../support/client.ts"
import { startServer } from "../support/server.ts"
import { groupId, waitingApps, workflowId } from "../support/waitingApps.ts"

const withApps = { catalogue: waitingApps }
const chat = { chat: "c1" }
const toGroup = { flow_id: groupId, chat_id: "c1" }
const toFlow = { flow_id: workflowId, chat_id: "c1" }

const names = (client: TestClient) => client.frames.map(nameOf)
const isPrompt = ({ category, type }: TestClient["frames"][number]) => category === "input" && type === "over"
const input = (name: unknown, more: object = {}) => ({
  action: "input",
  ...toFlow,
  data: { input_1: { data: { name }, message: "", message_id: 1 } },
  ...more
})
const errorOf = (client: TestClient) =>
  client.until(({ category }) => category === "error", "an error").pipe(Effect.map(({ message }) => message))

describe("a group chat", () => {
  it.scopedLive("waits for the person, goes on with the reply, and ends with a divider", () =>
    Effect.gen(function* () {
      const { connect, messages, run } = yield* startServer({}, withApps)
      const client = yield* connect(groupId, chat)
      yield* client.say({ action: "autogen", inputs: { input: "tea" } })
      const asked = yield* client.until(({ receiver }) => receiver?.["is_self"] === true)
      expect(asked).toMatchObject({
        type: "end",
        category: "answer",
        sender: "Ada",
        receiver: { name: "you", is_self: true },
        message: "Ada on tea"
      })
      yield* client.say({ action: "continue", ...toGroup, inputs: "milk" })
      yield* client.until(isClose)
      expect(names(client)).toEqual([
        "begin/system",
        "start/processing",
        "stream/processing",
        "end/answer",
        "start/processing",
        "stream/processing",
        "end/answer",
        "start/divider",
        "end/divider",
        "close/processing"
      ])
      expect(client.frames[4]?.question).toMatchObject({ message: "milk" })
      const rows = yield* messages("c1")
      expect(rows.map(({ category, message, sender }) => [category, message, sender])).toEqual([
        ["question", "tea", ""],
        ["answer", "Ada on tea", "Ada"],
        ["question", "milk", ""],
        ["answer", 'Bob: milk {"topic":"tea"} after 0', "Bob"],
        ["divider", "round over", ""]
      ])
      expect((yield* run(client.frames[0]?.run_id)).status).toBe("done")
      expect(new Set(client.frames.map(({ run_id }) => run_id)).size).toBe(1)
    })
  )

  it.scopedLive("that waits ends when a new question comes, and the new one runs", () =>
    Effect.gen(function* () {
      const { connect, run } = yield* startServer({}, withApps)
      const client = yield* connect(groupId, chat)
      yield* client.say({ inputs: { input: "tea" } })
      yield* client.until(({ receiver }) => receiver?.["is_self"] === true)
      yield* client.say({ inputs: { input: "coffee" } })
      yield* client.untilCount(({ receiver }) => receiver?.["is_self"] === true, 2)
      expect(names(client).slice(4, 7)).toEqual(["end/processing", "close/processing", "begin/system"])
      expect((yield* run(client.frames[0]?.run_id)).status).toBe("stopped")
    })
  )

  it.scopedLive("that waits is ended by a stop, once however often it is said", () =>
    Effect.gen(function* () {
      const { connect, run } = yield* startServer({}, withApps)
      const client = yield* connect(groupId, chat)
      yield* client.say({ inputs: { input: "tea" } })
      yield* client.until(({ receiver }) => receiver?.["is_self"] === true)
      yield* client.say({ action: "stop" })
      yield* client.say({ action: "stop" })
      yield* client.untilCount(isClose, 2)
      expect(names(client).slice(4)).toEqual(["end/processing", "close/processing", "close/processing"])
      expect((yield* run(client.frames[0]?.run_id)).status).toBe("stopped")
      yield* client.say({ action: "continue", ...toGroup, inputs: "milk" })
      expect(yield* errorOf(client)).toMatchObject({ status_code: 13007 })
    })
  )
})

describe("a workflow", () => {
  it.scopedLive("tells its nodes, asks, goes on with the reply, and closes at its end alone", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer({}, withApps)
      const client = yield* connect(workflowId, chat)
      yield* client.say({ action: "init_data", ...toFlow, data: {} })
      const prompt = yield* client.until(isPrompt)
      expect(names(client)).toEqual([
        "begin/processing",
        "start/node_run",
        "over/guide_word",
        "over/guide_question",
        "end/node_run",
        "start/node_run",
        "over/input"
      ])
      expect(prompt.message).toMatchObject({ node_id: "input_1", input_schema: { tab: "form_input" } })
      yield* client.say(input("Eve"))
      yield* client.until(isClose)
      expect(names(client).slice(7)).toEqual([
        "end/node_run",
        "start/node_run",
        "stream/stream_msg",
        "end/stream_msg",
        "end/node_run",
        "close/processing"
      ])
      const [, , streamed, whole] = client.frames.slice(7)
      expect(streamed?.message).toEqual({
        unique_id: "llm_1-1",
        node_id: "llm_1",
        name: "llm_1",
        msg: "Hello Eve",
        reasoning_content: "",
        output_key: "output"
      })
      expect(whole).toMatchObject({ source: 1, message: { msg: "Hello Eve" } })
      const rows = yield* messages("c1")
      expect(rows.map(({ category }) => category)).toEqual(["input", "question", "stream_msg"])
      expect(rows.map(({ id }) => id)).toEqual([prompt.message_id, rows[1]?.id, whole?.message_id])
      expect(client.frames.map(({ seq }) => seq)).toEqual(client.frames.map((_, i) => i + 1))
    })
  )

  it.scopedLive("survives its socket and its server: another one is told what is asked, and answers", () =>
    Effect.gen(function* () {
      const stores = yield* Layer.build(Memory)
      const first = yield* startServer({}, { ...withApps, stores })
      const client = yield* first.connect(workflowId, chat)
      yield* client.say({ action: "init_data", ...toFlow })
      const prompt = yield* client.until(isPrompt)
      yield* first.shutDown
      const second = yield* startServer({}, { ...withApps, stores })
      const other = yield* second.connect(workflowId, chat)
      yield* other.say({ action: "check_status", ...toFlow })
      const again = yield* other.until(isPrompt)
      expect(again.message_id).toBe(prompt.message_id)
      expect(again.message).toEqual(prompt.message)
      yield* other.say(input("Eve"))
      yield* other.until(isClose)
      expect(names(other)).toEqual([
        "over/input",
        "end/node_run",
        "start/node_run",
        "stream/stream_msg",
        "end/stream_msg",
        "end/node_run",
        "close/processing"
      ])
      expect((yield* second.run(prompt.run_id)).status).toBe("done")
    })
  )

  it.scopedLive("that has ended, or never began, answers a question for its status with close", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer({}, withApps)
      const client = yield* connect(workflowId, chat)
      yield* client.say({ action: "check_status", ...toFlow })
      yield* client.until(isClose)
      expect(names(client)).toEqual(["close/processing"])
    })
  )

  it.scopedLive("shows a second tab what is asked once, and what comes after the reply of the first", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer({}, withApps)
      const first = yield* connect(workflowId, chat)
      yield* first.say({ action: "init_data", ...toFlow })
      yield* first.until(isPrompt)
      const second = yield* connect(workflowId, chat)
      yield* second.say({ action: "check_status", ...toFlow })
      yield* second.until(isPrompt)
      yield* first.say(input("Eve"))
      yield* second.until(isClose)
      expect(second.frames.filter(isPrompt)).toHaveLength(1)
      expect(names(second).slice(1)).toEqual(names(first).slice(7))
    })
  )

  it.scopedLive("takes a reply once, however often it is sent", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer({}, withApps)
      const client = yield* connect(workflowId, { ...chat, query: "&native=1" })
      yield* client.say({ action: "init_data", ...toFlow })
      yield* client.until(isPrompt)
      const reply = input("Eve", { client_msg_id: "r1" })
      yield* client.say(reply)
      yield* client.say(reply)
      yield* client.until(isClose)
      yield* client.say(reply)
      yield* client.untilCount(({ category }) => category === "reply", 2)
      expect((yield* messages("c1")).map(({ category }) => category)).toEqual([
        "input",
        "question",
        "stream_msg"
      ])
    })
  )

  for (const [what, payload, words] of [
    ["lacks what was asked for", input(undefined), "name"],
    ["has the wrong type", input(7), "name"],
    ["is for another node", { action: "input", ...toFlow, data: { other: { data: {} } } }, "name"],
    ["is no object", { action: "input", ...toFlow, data: "yes" }, "name"],
    ["is nothing", { action: "input", ...toFlow }, "name"],
    ["is for a group chat", { action: "continue", ...toFlow, inputs: "yes" }, "answered by an input"]
  ] as const) {
    it.scopedLive(`tells what is wrong with a reply that ${what}, and goes on waiting`, () =>
      Effect.gen(function* () {
        const { connect } = yield* startServer({}, withApps)
        const client = yield* connect(workflowId, chat)
        yield* client.say({ action: "init_data", ...toFlow })
        yield* client.until(isPrompt)
        yield* client.say(payload)
        expect(yield* errorOf(client)).toMatchObject({
          status_code: 13007,
          data: { exception: expect.stringContaining(words) }
        })
        yield* client.say(input("Eve"))
        yield* client.until(isClose)
      })
    )
  }

  it.scopedLive("that fails after a reply keeps what it streamed, and tells why", () =>
    Effect.gen(function* () {
      const { connect, messages, run } = yield* startServer({}, withApps)
      const client = yield* connect(workflowId, chat)
      yield* client.say({ action: "init_data", ...toFlow })
      yield* client.until(isPrompt)
      yield* client.say(input("fail"))
      yield* client.until(isClose)
      expect(names(client).slice(-3)).toEqual(["end/stream_msg", "end/error", "close/processing"])
      expect(yield* errorOf(client)).toMatchObject({
        status_code: 13005,
        data: { error: "llm_1: the model is gone" }
      })
      const last = (yield* messages("c1")).at(-1)
      expect(last).toMatchObject({ category: "stream_msg", remark: "break_answer" })
      expect(last?.message).toContain("Hello fail")
      expect((yield* run(client.frames[0]?.run_id)).status).toBe("failed")
    })
  )

  it.scopedLive("that is stopped in the middle of a node keeps what the node streamed", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer({}, withApps)
      const client = yield* connect(workflowId, chat)
      yield* client.say({ action: "init_data", ...toFlow })
      yield* client.until(isPrompt)
      yield* client.say(input("hold"))
      yield* client.until(({ category }) => category === "stream_msg")
      yield* client.say({ action: "stop", ...toFlow })
      yield* client.until(isClose)
      expect(names(client).slice(-3)).toEqual(["end/stream_msg", "end/processing", "close/processing"])
      expect((yield* messages("c1")).at(-1)).toMatchObject({ remark: "break_answer" })
    })
  )

  it.scopedLive("ends with a clear frame when nobody replies in time", () =>
    Effect.gen(function* () {
      const { connect, run } = yield* startServer({ inputWaitLimit: Duration.millis(300) }, withApps)
      const client = yield* connect(workflowId, chat)
      yield* client.say({ action: "init_data", ...toFlow })
      yield* client.until(isPrompt)
      yield* client.until(isClose)
      expect(yield* errorOf(client)).toMatchObject({
        data: { error: expect.stringContaining("no reply came within") }
      })
      expect((yield* run(client.frames[0]?.run_id)).status).toBe("failed")
    })
  )
})

describe("a reply", () => {
  it.scopedLive("to an app that never waits is refused in words, and harms nothing", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer({}, withApps)
      const client = yield* connect("e".repeat(32), chat)
      yield* client.say({ action: "continue", inputs: "hello?" })
      expect(yield* errorOf(client)).toMatchObject({ status_code: 13007 })
      yield* client.say({ inputs: { input: "hi" } })
      yield* client.until(isClose)
    })
  )
})

import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isClose, streamed, type TestClient } from "../support/client.ts"
import { closedTimes, errorIn, startFull, told } from "../support/fullServer.ts"
import { allWords, type Speech } from "../support/speech.ts"
import { group } from "./graphs.ts"

/** The chair asks for one name; of the others each is asked as itself. */
const table = (picks: ReadonlyArray<string>, lines: Readonly<Record<string, ReturnType<Speech>>>): Speech => {
  const left = [...picks]
  return (request) => {
    const words = allWords(request)
    const speaker = Object.keys(lines).find(
      (name) => words.includes(`Be ${name}.`) && words.includes(`You are ${name} `)
    )
    return speaker === undefined ? (left.shift() ?? "You") : (lines[speaker] ?? "")
  }
}

const isSelf = ({ receiver }: TestClient["frames"][number]) => receiver?.["is_self"] === true

const utterance = ["stream/processing", "end/answer"]

const opened = (speech: Speech) =>
  Effect.gen(function* () {
    const server = yield* startFull({ model: speech })
    const app = yield* server.app(group)
    return { server, app, client: yield* server.connect(app) }
  })

const twoThenYou = () => table(["Ada", "Bob", "You"], { Ada: "Tea is hot", Bob: "Milk is cold" })

describe("a group chat", () => {
  it.scopedLive(
    "streams each utterance with its sender and receiver, waits for the person, goes on, and ends",
    () =>
      Effect.gen(function* () {
        const { server, app, client } = yield* opened(twoThenYou())
        yield* client.say({ action: "autogen", inputs: { chat_topic: "Breakfast?" } })
        yield* client.until(isSelf, "the person's turn")
        expect(told(client)).toEqual([
          "begin/system",
          "start/processing",
          ...utterance,
          "start/processing",
          ...utterance
        ])
        const [ada, bob] = client.frames.filter(({ category }) => category === "answer")
        expect(ada).toMatchObject({
          message: "Tea is hot",
          sender: "Ada",
          receiver: { name: "Bob", user_name: "Bob", is_self: false }
        })
        expect(bob).toMatchObject({
          message: "Milk is cold",
          sender: "Bob",
          receiver: { name: "You", user_name: "You", is_self: true }
        })
        expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("waiting_input")

        const from = client.frames.length
        yield* client.say({ action: "continue", flow_id: app, chat_id: "c1", inputs: "exit" })
        yield* client.until(isClose)
        expect(told(client, from)).toEqual([
          "start/processing",
          "end/processing",
          "start/divider",
          "end/divider",
          "close/processing"
        ])
        const rows = yield* server.rows()
        expect(rows.map(({ category, message, sender }) => [category, message, sender])).toEqual([
          ["question", "Breakfast?", ""],
          ["answer", "Tea is hot", "Ada"],
          ["answer", "Milk is cold", "Bob"],
          ["question", "exit", ""],
          ["divider", "本轮结束", ""]
        ])
        expect(JSON.parse(rows[2]?.receiver ?? "")).toMatchObject({ name: "You", is_self: true })
        expect([ada, bob].map((frame) => frame?.message_id)).toEqual([rows[1]?.id, rows[2]?.id])
        expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("done")
      })
  )

  it.scopedLive("hears what the person says, and answers it in the same run", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened(
        table(["Ada", "You", "Bob", "You"], { Ada: "Tea is hot", Bob: "Cold then" })
      )
      yield* client.say({ inputs: { chat_topic: "Breakfast?" } })
      yield* client.until(isSelf)
      const from = client.frames.length
      yield* client.say({ action: "continue", inputs: { input: "Too hot for me" } })
      yield* client.untilCount(isSelf, 2)
      expect(told(client, from)).toEqual(["start/processing", ...utterance])
      expect(client.frames[from]?.question?.message).toBe("Too hot for me")
      expect(server.model.asked().at(-2)).toContain("Too hot for me")
      expect(new Set(client.frames.map(({ run_id }) => run_id)).size).toBe(1)
      expect(client.frames.some(isClose)).toBe(false)
    })
  )

  it.scopedLive("stopped while somebody speaks keeps what they said so far, and ends the round", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened(
        table(["Ada", "Bob"], { Ada: "Tea is hot", Bob: { holds: "Milk is " } })
      )
      yield* client.say({ inputs: { chat_topic: "Breakfast?" } })
      yield* client.until((frame) => streamed([frame]).includes("Milk is"))
      yield* client.say({ action: "stop" })
      yield* server.model.interrupted(1)
      yield* client.until(isClose)
      expect(told(client).slice(-4)).toEqual([
        "stream/processing",
        "end/answer",
        "end/processing",
        "close/processing"
      ])
      expect((yield* server.rows()).map(({ message, remark }) => [message, remark])).toEqual([
        ["Breakfast?", ""],
        ["Tea is hot", ""],
        ["Milk is ", "break_answer"]
      ])
      expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("stopped")
      yield* client.say({ action: "continue", inputs: "go on" })
      expect(yield* errorIn(client)).toMatchObject({ status_code: 13007 })
    })
  )

  it.scopedLive("whose model fails in the middle keeps what was said, and says why it ended", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened(
        table(["Ada", "Bob"], { Ada: "Tea is hot", Bob: { fails: "the model is gone", after: "Mi" } })
      )
      yield* client.say({ inputs: { chat_topic: "Breakfast?" } })
      yield* client.until(isClose)
      expect(told(client).slice(-4)).toEqual([
        "stream/processing",
        "end/answer",
        "end/error",
        "close/processing"
      ])
      expect(yield* errorIn(client)).toMatchObject({ status_code: 13005 })
      expect((yield* server.rows()).map(({ message, remark }) => [message, remark])).toEqual([
        ["Breakfast?", ""],
        ["Tea is hot", ""],
        ["Mi", "break_answer"]
      ])
    })
  )

  it.scopedLive("that waits is found by the next server: it says again whose turn it is, and goes on", () =>
    Effect.gen(function* () {
      const one = yield* opened(twoThenYou())
      yield* one.client.say({ inputs: { chat_topic: "Breakfast?" } })
      const asked = yield* one.client.until(isSelf)
      yield* one.server.shutDown
      const two = yield* startFull({
        model: table(["Ada"], { Ada: "Good choice. TERMINATE" }),
        after: one.server.left
      })
      const client = yield* two.connect(one.app)
      yield* client.say({ action: "check_status", flow_id: one.app, chat_id: "c1" })
      expect(yield* client.until(isSelf)).toMatchObject({
        message_id: asked.message_id,
        message: asked.message
      })
      yield* client.say({ action: "continue", flow_id: one.app, chat_id: "c1", inputs: "Coffee" })
      yield* client.until(isClose)
      expect(told(client)).toEqual([
        "end/answer",
        "start/processing",
        ...utterance,
        "start/divider",
        "end/divider",
        "close/processing"
      ])
      expect(client.frames.find(({ sender, type }) => sender === "Ada" && type === "end")).toMatchObject({
        receiver: null
      })
      expect(two.model.heard().at(-1)).toContain("Coffee")
      expect((yield* two.run(asked.run_id)).status).toBe("done")
      yield* client.say({ action: "stop" })
      yield* closedTimes(client, 2)
    })
  )
})

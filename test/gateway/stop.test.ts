import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { flowIds } from "../support/apps.ts"
import { isClose, nameOf, streamed } from "../support/client.ts"
import { startServer } from "../support/server.ts"

const ask = (input: string, more: Record<string, unknown> = {}) => ({ inputs: { input }, ...more })

describe("stop", () => {
  it.scopedLive("interrupts the run, stores what was streamed as a broken answer, and closes", () =>
    Effect.gen(function* () {
      const { connect, messages, gate, run } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("go"))
      yield* gate(0).reasoning("let me think")
      yield* gate(0).text("half an answer")
      yield* client.until(() => streamed(client.frames) === "half an answer")
      yield* client.say({ action: "stop" })
      yield* gate(0).interrupted
      yield* client.until(isClose)
      const from = client.frames.findLastIndex(({ type }) => type === "stream") + 1
      expect(client.frames.slice(from).map(nameOf)).toEqual([
        "end/reasoning_answer",
        "end/answer",
        "end/processing",
        "close/processing"
      ])
      const rows = yield* messages("c1")
      expect(rows.map(({ category, message, remark }) => [category, message, remark])).toEqual([
        ["question", "go", ""],
        ["reasoning_answer", "let me think", "break_answer"],
        ["answer", "half an answer", "break_answer"]
      ])
      expect(client.frames.slice(from, from + 2).map(({ message_id }) => message_id)).toEqual([
        rows[1]?.id,
        rows[2]?.id
      ])
      expect(yield* run(client.frames[0]?.run_id)).toMatchObject({ status: "stopped" })
    })
  )

  it.scopedLive("is not remembered by the model", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("broken off"))
      yield* gate(0).text("half")
      yield* client.say({ action: "stop" })
      yield* client.until(isClose)
      yield* client.say(ask("next"))
      const question = yield* gate(1).begun
      expect(question.history).toEqual([])
    })
  )

  it.scopedLive("works from another socket of the session, and every socket sees the same end", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const first = yield* connect(flowIds.gated, { chat: "c1" })
      const second = yield* connect(flowIds.gated, { chat: "c1" })
      yield* first.say(ask("go"))
      yield* gate(0).text("half")
      yield* second.until(({ type }) => type === "stream")
      yield* second.say({ action: "stop" })
      yield* first.until(isClose)
      yield* second.until(isClose)
      expect(first.frames.map(({ seq }) => seq)).toEqual(second.frames.map(({ seq }) => seq))
    })
  )

  it.scopedLive("before the first token stores nothing but the question", () =>
    Effect.gen(function* () {
      const { connect, gate, messages } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("go"))
      yield* gate(0).begun
      yield* client.say({ action: "stop" })
      yield* client.until(isClose)
      expect(client.frames.map(nameOf)).toEqual([
        "begin/processing",
        "start/processing",
        "end/processing",
        "close/processing"
      ])
      expect((yield* messages("c1")).map(({ category }) => category)).toEqual(["question"])
    })
  )

  it.scopedLive("right behind its question, in the same packet, still ends it with one close", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("go"))
      yield* client.say({ action: "stop" })
      yield* client.until(isClose)
      yield* client.say({ action: "ping" })
      yield* client.until(({ message }) => message === "pong")
      expect(client.frames.filter(isClose)).toHaveLength(1)
      expect(client.frames.filter(({ type }) => type === "begin")).toHaveLength(1)
      yield* client.say(ask("again"))
      yield* client.untilCount(({ type }) => type === "begin", 2)
      void gate
    })
  )

  it.scopedLive("with no run is answered by a bare close, as often as it is asked", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say({ action: "stop" })
      yield* client.say({ action: "stop" })
      yield* client.untilCount(isClose, 2)
      expect(client.frames.map(nameOf)).toEqual(["close/processing", "close/processing"])
      expect(client.frames.every(({ seq, run_id }) => seq === undefined && run_id === undefined)).toBe(true)
      expect(yield* messages("c1")).toEqual([])
    })
  )

  it.scopedLive("after the answer, as classic clients send it on end_cover, changes nothing", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say(ask("hello"))
      yield* client.until(({ type }) => type === "end_cover")
      yield* client.say({ action: "stop" })
      yield* client.say({ action: "ping" })
      yield* client.until(({ message }) => message === "pong")
      expect(client.frames.filter((frame) => isClose(frame) && frame.run_id !== undefined)).toHaveLength(1)
      const rows = yield* messages("c1")
      expect(rows.map(({ category, remark }) => [category, remark])).toEqual([
        ["question", ""],
        ["answer", ""]
      ])
    })
  )

  it.scopedLive("leaves waiting questions waiting", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1", query: "&native=1" })
      yield* client.say(ask("one"))
      yield* gate(0).begun
      yield* client.say(ask("two"))
      yield* client.until(({ category }) => category === "queue")
      yield* client.say({ action: "stop" })
      const second = yield* gate(1).begun
      expect(second.text).toBe("two")
      yield* gate(1).finish
      yield* client.untilCount(isClose, 2)
    })
  )

  it.scopedLive(
    "with scope all clears the waiting questions, and tells each by its own begin and close",
    () =>
      Effect.gen(function* () {
        const { connect, gate, run } = yield* startServer()
        const client = yield* connect(flowIds.gated, { chat: "c1", query: "&native=1" })
        yield* client.say(ask("one"))
        yield* gate(0).begun
        yield* client.say(ask("two"))
        yield* client.say(ask("three"))
        yield* client.untilCount(({ category }) => category === "queue", 2)
        yield* client.say({ action: "stop", scope: "all" })
        yield* client.untilCount(isClose, 3)
        const begun = client.frames.filter(({ type }) => type === "begin")
        const closed = client.frames.filter(isClose)
        expect(closed.map(({ run_id }) => run_id)).toEqual(begun.map(({ run_id }) => run_id))
        expect(begun.map(({ question }) => question?.message)).toEqual(["one", "two", "three"])
        for (const { run_id } of begun) expect(yield* run(run_id)).toMatchObject({ status: "stopped" })
      })
  )
})

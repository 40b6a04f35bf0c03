import { describe, expect, it } from "vitest"
import { type ChatState, initialState, reduce, type SessionEvent } from "../../src/client/client.ts"
import { parseFrame } from "../../src/client/frame.ts"
import { readHistory } from "../../src/client/history.ts"
import { Translator } from "../../src/client/Translator.ts"
import * as wire from "./wire.ts"

/** What a session's frames become. */
const eventsOf = (frames: ReadonlyArray<wire.Fields>): ReadonlyArray<SessionEvent> => {
  const translator = new Translator()
  return frames.flatMap((each) => {
    const frame = parseFrame(JSON.stringify(each))
    return frame === null ? [] : translator.translate(frame, 1000)
  })
}

const fold = (events: ReadonlyArray<SessionEvent>, from: ChatState = initialState): ChatState =>
  events.reduce(reduce, from)

const live = (frames: ReadonlyArray<wire.Fields>, from?: ChatState) =>
  fold(eventsOf(wire.numbered(1, frames)), from)

const sent = (clientMsgId: string, text: string): SessionEvent => ({
  type: "sending",
  clientMsgId,
  text,
  at: 500
})

const row = (id: number, category: string, message: string, fields: wire.Fields = {}): wire.Fields => ({
  id,
  is_bot: category !== "question",
  category,
  message,
  intermediate_steps: "",
  extra: "{}",
  remark: "",
  source: 0,
  user_id: 1,
  run_id: "r1",
  create_time: "2026-03-04T05:06:07.000Z",
  ...fields
})

const page = (rows: ReadonlyArray<wire.Fields>, before?: number): SessionEvent => ({
  type: "history",
  page: readHistory([...rows].reverse(), before === undefined ? {} : { before }, 30)
})

const texts = (state: ChatState) => state.messages.map((message) => `${message.role}: ${message.text}`)

describe("a run, folded from its frames", () => {
  it("becomes a question and an answer with its reasoning, tools and steps", () => {
    const state = live(
      wire.assistantRun("r1", wire.question("6 times 7?", "c1")),
      fold([sent("c1", "6 times 7?")])
    )
    expect(state.status).toBe("ready")
    expect(state.messages).toEqual([
      {
        role: "user",
        id: "c1",
        messageId: 1,
        clientMsgId: "c1",
        runId: "r1",
        text: "6 times 7?",
        delivery: "sent",
        error: null,
        createdAt: 500
      },
      {
        role: "assistant",
        id: "a:r1",
        messageId: 4,
        runId: "r1",
        text: "It is 42.",
        reasoning: "I should calculate.",
        steps: ["writing it down"],
        tools: [
          { id: "t1", kind: "tool", name: "calculator", input: '{"e":"6*7"}', output: "42", failed: false }
        ],
        parts: [],
        nodes: [],
        progress: null,
        speaker: null,
        status: "done",
        error: null,
        source: 1,
        links: [],
        pair: "",
        createdAt: 1000
      }
    ])
  })

  it("is submitted until the first token, streaming until its end", () => {
    const frames = wire.assistantRun("r1", wire.question("6 times 7?", "c1"))
    const statuses = frames.map((_, i) => live(frames.slice(0, i + 1)).status)
    expect(statuses).toEqual([
      "submitted",
      "submitted",
      ...Array.from({ length: 10 }, () => "streaming"),
      "ready"
    ])
    expect(fold([sent("c1", "hello")]).status).toBe("submitted")
  })

  it("shows the question that another tab asked", () => {
    const state = live([wire.begin("r1", wire.question("from elsewhere", "theirs"))])
    expect(texts(state)).toEqual(["user: from elsewhere", "assistant: "])
  })

  it("keeps what was streamed when it is stopped", () => {
    const state = live([
      wire.begin("r1", wire.question("long?", null)),
      wire.reasoning("r1", "hm"),
      wire.text("r1", "Once upon"),
      ...wire.stoppedTail("r1", "hm", "Once upon a")
    ])
    expect(state.messages[1]).toMatchObject({
      text: "Once upon a",
      reasoning: "hm",
      status: "stopped",
      messageId: 8
    })
    expect(state.status).toBe("ready")
  })

  it("says what failed, and is ready for the next question all the same", () => {
    const state = live([wire.begin("r1", wire.question("q", null)), ...wire.failedTail("r1")])
    expect(state.status).toBe("error")
    expect(state.messages[1]).toMatchObject({
      status: "failed",
      error: { code: 10499, message: "the run failed", detail: "the model's server refused the connection" }
    })
    expect(fold([sent("c2", "again")], state)).toMatchObject({ status: "submitted", error: null })
  })

  it("shows waiting questions after the answer in progress, each answer under its question", () => {
    const asked = fold([sent("c1", "one"), sent("c2", "two")])
    const first = live([wire.begin("r1", wire.question("one", "c1"))], asked)
    const queued = fold([{ type: "queued", clientMsgId: "c2", runId: "r2", position: 1, text: null }], first)
    expect(texts(queued)).toEqual(["user: one", "assistant: ", "user: two"])
    expect(queued.messages[2]).toMatchObject({ delivery: "queued" })
    const between = live([wire.text("r1", "uno"), wire.close("r1")], queued)
    expect(between.status).toBe("submitted")
    const second = live(
      [wire.begin("r2", wire.question("two", "c2", 2)), wire.text("r2", "dos"), wire.close("r2")],
      between
    )
    expect(texts(second)).toEqual(["user: one", "assistant: uno", "user: two", "assistant: dos"])
    expect(second.status).toBe("ready")
  })

  it("marks a question that the server refused, and no other", () => {
    const error = { code: 13012, message: "too many questions are waiting in this session", detail: "" }
    const state = fold([
      sent("c1", "one"),
      sent("c2", "two"),
      { type: "failed", runId: null, clientMsgId: "c2", error }
    ])
    expect(state.messages).toMatchObject([{ delivery: "sending" }, { delivery: "failed", error }])
    const retried = fold([sent("c2", "two")], state)
    expect(retried.messages).toMatchObject([
      { text: "one" },
      { text: "two", delivery: "sending", error: null }
    ])
  })
})

describe("coming back", () => {
  it("goes on with the answer in progress after a recovery", () => {
    const before = live([wire.begin("r1", wire.question("q", null)), wire.text("r1", "half ")])
    const back = fold([{ type: "opened", recovered: true, runId: "r1" }], before)
    expect(texts(live([wire.text("r1", "whole")], back))).toEqual(["user: q", "assistant: half whole"])
  })

  it("drops a half answer that the server no longer has, and takes it again from the start", () => {
    const frames = [wire.begin("r1", wire.question("q", null)), wire.text("r1", "half ")]
    const back = fold([{ type: "opened", recovered: false, runId: "r1" }], live(frames))
    expect(texts(back)).toEqual(["user: q"])
    expect(texts(live([...frames, wire.text("r1", "whole")], back))).toEqual([
      "user: q",
      "assistant: half whole"
    ])
  })
})

describe("history", () => {
  const stored = [
    row(1, "question", "6 times 7?"),
    row(2, "tool", JSON.stringify({ tool_key: "calculator", input_str: "6*7", output: "42" }), {
      extra: JSON.stringify({ run_id: "t1", call_id: "x", name: "calculator", turn: 0 })
    }),
    row(3, "reasoning_answer", "easy"),
    row(4, "answer", "It is 42.", { intermediate_steps: "one\ntwo" })
  ]

  it("shows stored rounds as the live ones were", () => {
    const state = fold([page(stored)])
    expect(state.messages).toMatchObject([
      { role: "user", text: "6 times 7?", createdAt: Date.UTC(2026, 2, 4, 5, 6, 7) },
      {
        role: "assistant",
        text: "It is 42.",
        reasoning: "easy",
        steps: ["one", "two"],
        tools: [{ name: "calculator", input: "6*7", output: "42" }],
        status: "done",
        messageId: 4
      }
    ])
  })

  it("marks an answer that was cut short", () => {
    const state = fold([page([row(1, "question", "q"), row(2, "answer", "par", { remark: "break_answer" })])])
    expect(state.messages[1]).toMatchObject({ text: "par", status: "stopped" })
  })

  it("says of a run that left nothing but its work that it ended, unless it is the one in progress", () => {
    const work = page(stored.slice(0, 2))
    expect(fold([work]).messages[1]).toMatchObject({ text: "", status: "stopped" })
    const opened = (runId: string | null): SessionEvent => ({ type: "opened", recovered: false, runId })
    expect(fold([opened("r1"), work]).messages[1]).toMatchObject({ text: "", status: "running" })
    // An answer without a word is one.
    expect(fold([page([...stored.slice(0, 2), row(4, "answer", "")])]).messages[1]).toMatchObject({
      status: "done"
    })
  })

  it("puts each answer under its own question where questions were stored first", () => {
    const rows = [
      row(1, "question", "one"),
      row(2, "question", "two", { run_id: "r2" }),
      row(3, "answer", "uno"),
      row(4, "answer", "dos", { run_id: "r2" })
    ]
    expect(texts(fold([page(rows)]))).toEqual(["user: one", "assistant: uno", "user: two", "assistant: dos"])
  })

  it("adds nothing twice when it meets what was seen live", () => {
    const seen = live(
      wire.assistantRun("r1", wire.question("6 times 7?", "c1")),
      fold([sent("c1", "6 times 7?")])
    )
    const state = fold([page(stored)], seen)
    expect(state.messages.map(({ id }) => id)).toEqual(["c1", "a:r1"])
  })

  it("does not take back an answer that ended while the page was on its way", () => {
    const seen = live(wire.assistantRun("r1", wire.question("6 times 7?", "c1")))
    const state = fold([page(stored.slice(0, 2))], seen)
    expect(texts(state)).toEqual(["user: 6 times 7?", "assistant: It is 42."])
  })

  it("leaves the answer in progress and unsent questions at the end", () => {
    const running = live(
      [wire.begin("r2", wire.question("next", "c2", 5)), wire.text("r2", "well")],
      fold([sent("c2", "next"), sent("c3", "later")])
    )
    const state = fold([page([...stored, row(5, "question", "next", { run_id: "r2" })])], running)
    expect(texts(state)).toEqual([
      "user: 6 times 7?",
      "assistant: It is 42.",
      "user: next",
      "assistant: well",
      "user: later"
    ])
  })

  it("puts older pages before, and joins a round that was cut by the page's edge", () => {
    const newest = fold([page(stored.slice(2))])
    const whole = fold([page(stored.slice(0, 2), 3)], newest)
    expect(texts(whole)).toEqual(["user: 6 times 7?", "assistant: It is 42."])
    expect(whole.messages[1]).toMatchObject({ tools: [{ output: "42" }], reasoning: "easy" })
  })

  it("shows no two ends with a hole between: a newest page that meets nothing replaces the rest", () => {
    const old = fold([page(stored)])
    const much = Array.from({ length: 30 }, (_, i) => row(100 + i, "question", `q${i}`, { run_id: `x${i}` }))
    const state = fold([page(much)], old)
    expect(state.messages).toHaveLength(30)
    expect(state.before).toBe(100)
  })

  it("does not trust what a server sends for rows", () => {
    expect(readHistory([null, 3, { id: "no" }, { id: 1 }], {}, 30).messages).toHaveLength(1)
    expect(readHistory("nothing", {}, 30)).toEqual({ messages: [], before: null, older: false })
  })
})

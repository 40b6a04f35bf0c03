import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { describe } from "vitest"
import { Deltas, silent } from "../../../src/protocol/RunEvent.ts"
import { agUiAgent, cut, hold, plays, refuses, saying } from "../../support/agui.ts"
import { linesOf, question, remote } from "./support.ts"

const started = { type: "RUN_STARTED", threadId: "t", runId: "r" }
const finished = { type: "RUN_FINISHED", threadId: "t", runId: "r" }
const says = (delta: string, messageId = "m1") => ({ type: "TEXT_MESSAGE_CONTENT", messageId, delta })

const asked = (answer: Parameters<typeof agUiAgent>[0], more: object = {}) =>
  Effect.gen(function* () {
    const agent = yield* agUiAgent(answer)
    const app = yield* remote({ protocol: "ag-ui", url: agent.url, ...more }, agent.host)
    return yield* linesOf(app, question("Why?"))
  })

describe("an agent that speaks AG-UI", () => {
  it.scopedLive("becomes an answer with its reasoning, steps and tools in their order", () =>
    Effect.gen(function* () {
      const lines = yield* asked(
        plays(
          started,
          { type: "STATE_SNAPSHOT", snapshot: { any: "thing" } },
          { type: "STEP_STARTED", stepName: "think" },
          { type: "REASONING_MESSAGE_CONTENT", messageId: "r1", delta: "Let me see. " },
          { type: "THINKING_TEXT_MESSAGE_CONTENT", delta: "Look it up." },
          { type: "STEP_FINISHED", stepName: "think" },
          { type: "TEXT_MESSAGE_START", messageId: "m1", role: "assistant" },
          says("I look "),
          says("it up."),
          { type: "TEXT_MESSAGE_END", messageId: "m1" },
          { type: "TOOL_CALL_START", toolCallId: "c1", toolCallName: "look_up" },
          { type: "TOOL_CALL_ARGS", toolCallId: "c1", delta: '{"what":' },
          { type: "TOOL_CALL_ARGS", toolCallId: "c1", delta: '"why"}' },
          { type: "TOOL_CALL_END", toolCallId: "c1" },
          { type: "TOOL_CALL_RESULT", messageId: "m2", toolCallId: "c1", content: "because" },
          { type: "TEXT_MESSAGE_CHUNK", messageId: "m3", role: "assistant", delta: "Because." },
          { type: "SOMETHING_NEW", of: "a later version" },
          finished
        )
      )
      expect(lines).toEqual([
        "step think",
        "reasoning Let me see. ",
        "reasoning Look it up.",
        "text I look ",
        "text it up.",
        'tool c1 look_up {"what":"why"}',
        "brought because",
        "text \n\nBecause.",
        "answer I look it up.\n\nBecause."
      ])
    })
  )

  it.scopedLive("is sent the whole conversation, the instruction, and what proves that we may", () =>
    Effect.gen(function* () {
      const agent = yield* agUiAgent(saying("Fine."))
      const settings = {
        protocol: "ag-ui",
        url: agent.url,
        api_key: "key-of-the-agent",
        headers: { "X-Team": "blue" },
        system: "Be brief.",
        model: "m"
      }
      const app = yield* remote(settings, agent.host)
      yield* linesOf(
        app,
        question("And now?", [
          { role: "user", content: "First?" },
          { role: "assistant", content: "", toolCalls: [{ id: "c", name: "clock", arguments: "{}" }] },
          { role: "tool", content: "noon", toolCallId: "c" },
          { role: "assistant", content: "Noon.", toolCalls: [] }
        ])
      )
      expect(agent.heard).toHaveLength(1)
      const [heard] = agent.heard
      expect(heard?.headers).toMatchObject({
        authorization: "Bearer key-of-the-agent",
        "x-team": "blue",
        accept: "text/event-stream",
        "content-type": "application/json"
      })
      expect(heard?.input).toMatchObject({
        tools: [],
        context: [],
        forwardedProps: { model: "m" },
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "First?" },
          { role: "assistant", toolCalls: [{ id: "c", function: { name: "clock", arguments: "{}" } }] },
          { role: "tool", content: "noon", toolCallId: "c" },
          { role: "assistant", content: "Noon." },
          { role: "user", content: "And now?" }
        ]
      })
    })
  )

  it.scopedLive("may send calls in chunks and never say what came of them", () =>
    Effect.gen(function* () {
      const lines = yield* asked(
        plays(
          started,
          { type: "TOOL_CALL_CHUNK", toolCallId: "c1", toolCallName: "one", delta: '{"a":' },
          { type: "TOOL_CALL_CHUNK", delta: "1}" },
          { type: "TOOL_CALL_CHUNK", toolCallId: "c2", toolCallName: "two" },
          says("Done."),
          finished
        )
      )
      expect(lines).toEqual([
        'tool c1 one {"a":1}',
        "tool c2 two {}",
        "text Done.",
        "brought ",
        "brought ",
        "answer Done."
      ])
    })
  )

  it.scopedLive("may answer with a snapshot of its messages, or with a question of its own", () =>
    Effect.gen(function* () {
      const messages = [
        { id: "1", role: "assistant", content: "old" },
        { id: "2", role: "user", content: "Why?" },
        { id: "3", role: "assistant", content: "Whole." }
      ]
      expect(yield* asked(plays(started, { type: "MESSAGES_SNAPSHOT", messages }, finished))).toEqual([
        "answer Whole."
      ])
      const outcome = { type: "interrupt", interrupts: [{ id: "i", reason: "approval", message: "May I?" }] }
      expect(yield* asked(plays(started, { ...finished, outcome }))).toEqual(["answer May I?"])
    })
  )

  it.scopedLive("is not heard in any role but its own", () =>
    Effect.gen(function* () {
      const lines = yield* asked(
        plays(
          { type: "TEXT_MESSAGE_START", messageId: "s", role: "system" },
          says("secret prompt", "s"),
          says("Hello."),
          finished
        )
      )
      expect(lines).toEqual(["text Hello.", "answer Hello."])
    })
  )

  it.scopedLive("is read no further than its last word", () =>
    Effect.gen(function* () {
      const agent = yield* agUiAgent(plays(says("Enough."), finished, says(" More."), hold))
      const app = yield* remote({ protocol: "ag-ui", url: agent.url }, agent.host)
      expect(yield* linesOf(app, question("?"))).toEqual(["text Enough.", "answer Enough."])
      yield* agent.left
    })
  )

  it.scopedLive("is left at once when the run is stopped", () =>
    Effect.gen(function* () {
      const agent = yield* agUiAgent(plays(started, says("I will go on and on"), hold))
      const app = yield* remote({ protocol: "ag-ui", url: agent.url }, agent.host)
      const begun = yield* Deferred.make<void>()
      const running = yield* Stream.runForEach(app.answer(question("?")), () =>
        Deferred.succeed(begun, undefined)
      ).pipe(Effect.provideService(Deltas, silent), Effect.fork)
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(running)
      yield* agent.left
    })
  )
})

describe("an agent in trouble", () => {
  it.scopedLive("tells of its own errors, without our secrets", () =>
    Effect.gen(function* () {
      const error = { type: "RUN_ERROR", message: "no credit for key-of-the-agent and team-secret" }
      expect(
        yield* asked(plays(started, says("Well"), error), {
          api_key: "key-of-the-agent",
          headers: { "X-Key": "Token team-secret" }
        })
      ).toEqual([
        "text Well",
        "assistant failed: The remote service reports an error: no credit for [redacted] and [redacted]"
      ])
    })
  )

  it.scopedLive.each([
    [401, "{}", "The remote service does not accept this app's api_key or headers (401): {}"],
    [404, "", "The remote service has no such model or address (404)."],
    [429, "slow down", "The remote service takes no more requests now (429): slow down"],
    [500, '{"error":{"message":"oh no"}}', "The remote service failed (500): oh no"],
    [422, '{"detail":"messages"}', "The remote service refused the request (422): messages"],
    [302, "", "The remote service has moved (302): change the app's url."]
  ] as const)("says what status %i means", ([status, body, words]) =>
    Effect.gen(function* () {
      expect(yield* asked(refuses(status, body))).toEqual([`assistant failed: ${words}`])
    })
  )

  it.scopedLive("is noticed when it breaks off, keeps silent, or ends without an end", () =>
    Effect.gen(function* () {
      const broken =
        "assistant failed: The remote service broke off before its answer was complete. Try again."
      expect(yield* asked(plays(says("Half"), cut))).toEqual(["text Half", broken])
      expect(yield* asked(plays(says("Half")))).toEqual(["text Half", broken])
      expect(yield* asked(plays(says("Half"), hold), { timeout: 1 })).toEqual([
        "text Half",
        "assistant failed: The remote service stopped in the middle of its answer for 1 s. Try again."
      ])
      expect(yield* asked(() => undefined, { timeout: 1 })).toEqual([
        "assistant failed: The remote service did not begin to answer within 1 s. Try again later."
      ])
    })
  )

  it.scopedLive.each([
    ["data: {nonsense\n\n", "something that is not JSON"],
    ["data: 5\n\n", "an event without a type"],
    [
      'data: {"type":"TEXT_MESSAGE_CONTENT","delta":5}\n\n',
      "an event TEXT_MESSAGE_CONTENT that is not as the protocol says"
    ],
    [`data: ${"x".repeat(2_100_000)}`, "an event above 1 MiB"],
    // Only its last bytes are too many: they come together with the end of the answer.
    [`data: ${"x".repeat(1024 * 1024 + 1)}`, "an event above 1 MiB"]
  ] as const)("is told apart from an agent by what it sends", ([piece, what]) =>
    Effect.gen(function* () {
      expect(yield* asked(plays(started, says("So"), piece))).toEqual([
        "text So",
        `assistant failed: The remote service sent ${what}.`
      ])
    })
  )

  it.scopedLive("is no agent when it answers with a page, or with nothing to say", () =>
    Effect.gen(function* () {
      expect(yield* asked(refuses(200, "<html>", { "content-type": "text/html" }))).toEqual([
        'assistant failed: The remote service sent "text/html" instead of events. Check the app\'s url.'
      ])
      expect(yield* asked(plays(started, finished))).toEqual([
        "assistant failed: The remote service gave no answer."
      ])
    })
  )

  it.scopedLive("cannot fill the trace without end", () =>
    Effect.gen(function* () {
      const steps = Array.from({ length: 1_100 }, (_, n) => ({ type: "STEP_STARTED", stepName: `${n}` }))
      const lines = yield* asked(plays(...steps, finished))
      expect(lines.at(-1)).toBe(
        "assistant failed: The remote service sent more than 1000 steps in one answer."
      )
    })
  )

  it.scopedLive("is not there at all", () =>
    Effect.gen(function* () {
      const app = yield* remote({ protocol: "ag-ui", url: "http://127.0.0.1:9/" }, "127.0.0.1:9")
      expect(yield* linesOf(app, question("?"))).toEqual([
        "assistant failed: The remote service cannot be reached (ECONNREFUSED). Try again later."
      ])
    })
  )
})

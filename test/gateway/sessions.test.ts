import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Catalogue } from "../../src/app/Catalogue.ts"
import { onDisconnectOf } from "../../src/app/onDisconnect.ts"
import { flowIds } from "../support/apps.ts"
import { isClose, nameOf, streamed, type WireFrame } from "../support/client.ts"
import { startServer } from "../support/server.ts"

const ask = (input: string, more: Record<string, unknown> = {}) => ({ inputs: { input }, ...more })
const isBegin = ({ type }: WireFrame) => type === "begin"
const isSession = ({ category, type }: WireFrame) => type === "info" && category === "session"
const isError = ({ category }: WireFrame) => category === "error"
const codeOf = (frame: WireFrame | undefined): unknown =>
  typeof frame?.message === "object" && frame.message !== null && "status_code" in frame.message
    ? frame.message.status_code
    : undefined

describe("several sockets on one session", () => {
  it.scopedLive("see the same frames in the same order, whoever asks", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const clients = yield* Effect.forEach([0, 1, 2], () => connect(flowIds.echo, { chat: "c1" }))
      yield* Effect.forEach(clients, (client, i) => client.say(ask(`from ${i}`)), {
        concurrency: "unbounded"
      })
      yield* Effect.forEach(clients, (client) => client.untilCount(isClose, 3))
      const [first, ...others] = clients.map(({ frames }) => frames)
      for (const frames of others) expect(frames).toEqual(first)
      expect(first?.map(({ seq }) => seq)).toEqual(first?.map((_, i) => i + 1))
    })
  )

  it.scopedLive("a late one first gets the running answer so far, then goes on live", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const early = yield* connect(flowIds.gated, { chat: "c1" })
      yield* early.say(ask("go"))
      for (let i = 0; i < 200; i++) {
        yield* gate(0).text(`${i} `)
        yield* early.until(() => streamed(early.frames).endsWith(`${i} `))
      }
      const late = yield* connect(flowIds.gated, { chat: "c1" })
      yield* late.until(({ type }) => type === "stream")
      expect(late.frames.filter(({ type }) => type === "stream")).toHaveLength(1)
      yield* gate(0).text("and on")
      yield* gate(0).finish
      yield* late.until(isClose)
      yield* early.until(isClose)
      expect(streamed(late.frames)).toBe(streamed(early.frames))
      expect(late.frames.filter(({ type }) => type !== "stream")).toEqual(
        early.frames.filter(({ type }) => type !== "stream")
      )
    })
  )

  it.scopedLive("are told where they are when frames are lost, and a classic one that its run is over", () =>
    Effect.gen(function* () {
      const { connect, gate, logOf } = yield* startServer()
      const native = yield* connect(flowIds.gated, { chat: "c1", query: "&native=1" })
      const classic = yield* connect(flowIds.gated, { chat: "c1" })
      yield* classic.say(ask("go"))
      yield* gate(0).text("half of it")
      for (const client of [native, classic]) yield* client.until(({ type }) => type === "stream")
      const log = yield* logOf(flowIds.gated, "c1")
      const { runId } = log.standing
      const before = classic.frames.length
      log.replace("another", 0, [])
      yield* classic.until(isClose)
      expect(classic.frames.slice(before).map(({ type, run_id }) => [type, run_id])).toEqual([
        ["end", runId],
        ["close", runId]
      ])
      yield* native.untilCount(isSession, 2)
      expect(native.frames.filter(isSession).at(-1)?.message).toMatchObject({
        epoch: "another",
        recovered: false
      })
      expect(native.frames.filter(isClose)).toEqual([])
    })
  )

  it.scopedLive("a run outlives its last socket, and a new socket finds it", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(connect(flowIds.gated, { chat: "c1" }), scope)
      yield* first.say(ask("go"))
      yield* gate(0).text("before")
      yield* first.until(({ type }) => type === "stream")
      yield* Scope.close(scope, Exit.void)
      yield* gate(0).text(" after")
      const second = yield* connect(flowIds.gated, { chat: "c1" })
      yield* gate(0).finish
      yield* second.until(isClose)
      expect(second.frames.findLast(({ type }) => type === "end_cover")?.message).toBe("before after")
    })
  )

  it.scopedLive("a run whose last socket is gone for the orphan timeout is stopped and stored", () =>
    Effect.gen(function* () {
      const { connect, gate, messages } = yield* startServer({ runOrphanTimeout: 0 })
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(connect(flowIds.gated, { chat: "c1" }), scope)
      yield* first.say(ask("go"))
      yield* gate(0).text("orphaned")
      yield* first.until(({ type }) => type === "stream")
      yield* Scope.close(scope, Exit.void)
      yield* gate(0).interrupted
      const later = yield* connect(flowIds.gated, { chat: "c1" })
      yield* later.say(ask("still there?"))
      yield* gate(1).begun
      expect((yield* messages("c1")).map(({ message, remark }) => [message, remark])).toEqual([
        ["go", ""],
        ["orphaned", "break_answer"],
        ["still there?", ""]
      ])
    })
  )
})

describe("resume", () => {
  it.scopedLive("sends exactly what was missed, then goes on live", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const first = yield* connect(flowIds.gated, { chat: "c1", query: "&native=1" })
      const opened = yield* first.until(isSession)
      expect(opened.message).toMatchObject({ seq: 0, status: "idle", run_id: null, recovered: false })
      const { epoch } = Object(opened.message)
      yield* first.say(ask("go"))
      yield* gate(0).text("one ")
      yield* first.until(({ type }) => type === "stream")
      const last = first.frames.at(-1)?.seq ?? 0
      yield* first.close
      yield* gate(0).text("two ")
      const second = yield* connect(flowIds.gated, {
        chat: "c1",
        query: `&native=1&last_seq=${last}&epoch=${epoch}`
      })
      expect((yield* second.until(isSession)).message).toMatchObject({
        seq: last,
        status: "running",
        recovered: true
      })
      yield* gate(0).text("three")
      yield* gate(0).finish
      yield* second.until(isClose)
      const frames = second.frames.filter(({ seq }) => seq !== undefined)
      expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => last + 1 + i))
      expect(streamed(first.frames) + streamed(second.frames)).toBe("one two three")
    })
  )

  it.scopedLive("after the run ended still has its frames", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const first = yield* connect(flowIds.echo, { chat: "c1", query: "&native=1" })
      const { epoch } = Object((yield* first.until(isSession)).message)
      yield* first.say(ask("hello"))
      yield* first.until(isClose)
      yield* first.close
      const second = yield* connect(flowIds.echo, { chat: "c1", query: `&last_seq=2&epoch=${epoch}` })
      yield* second.until(isClose)
      expect(second.frames.map(({ seq }) => seq)).toEqual(
        first.frames.flatMap(({ seq }) => (seq !== undefined && seq > 2 ? [seq] : []))
      )
    })
  )

  it.scopedLive("of another epoch is told that it was not recovered", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1", query: "&last_seq=7&epoch=older" })
      expect((yield* client.until(isSession)).message).toMatchObject({ recovered: false, seq: 0 })
    })
  )
})

describe("one socket, several sessions", () => {
  it.scopedLive("opens and asks by flow_id and chat_id; every frame says whose it is", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1", query: "&native=1" })
      yield* client.say({ flow_id: flowIds.skill, chat_id: "c2" })
      yield* client.until((frame) => isSession(frame) && frame.chat_id === "c2")
      yield* client.say(ask("to two", { flow_id: flowIds.skill, chat_id: "c2" }))
      yield* client.say(ask("to one"))
      yield* client.untilCount(isClose, 2)
      const answers = client.frames.filter((frame) => nameOf(frame) === "start/answer")
      expect(answers.map(({ chat_id }) => chat_id).sort()).toEqual(["c1", "c2"])
      const ends = client.frames.filter(({ type, category }) => category === "answer" && type !== "start")
      expect(ends.map(({ chat_id, message }) => [chat_id, message]).sort()).toEqual([
        ["c1", "echo: to one"],
        ["c2", "skill: to two"]
      ])
    })
  )

  it.scopedLive("inputs.data switches the socket to another app and session", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say({ inputs: { data: { id: flowIds.skill, chatId: "c2", type: 1 } } })
      yield* client.until(isClose)
      expect(client.frames.map(nameOf)).toEqual(["begin/processing", "close/processing"])
      yield* client.say(ask("hello"))
      yield* client.untilCount(isClose, 2)
      expect(client.frames.at(-1)?.chat_id).toBe("c2")
      expect(client.frames.findLast(({ type }) => type === "end")?.message).toBe("skill: hello")
    })
  )

  it.scopedLive("a failed open says why and leaves the other sessions alone", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say({ flow_id: "0".repeat(32), chat_id: "c2" })
      const error = yield* client.until(isError)
      expect(codeOf(error)).toBe(13001)
      expect(error.chat_id).toBe("c2")
      yield* client.say(ask("still here"))
      yield* client.until(isClose)
    })
  )

  it.scopedLive("another user's chat is refused with 13014, and nothing of it is shown", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const owner = yield* connect(flowIds.echo, { chat: "c1", user: 1 })
      yield* owner.say(ask("mine"))
      yield* owner.until(isClose)
      const other = yield* connect(flowIds.echo, { chat: "c9", user: 2 })
      yield* other.say({ flow_id: flowIds.echo, chat_id: "c1" })
      expect(codeOf(yield* other.until(isError))).toBe(13014)
      yield* other.say(ask("let me in", { flow_id: flowIds.echo, chat_id: "c1" }))
      yield* other.untilCount(isError, 2)
      expect(other.frames.every(isError)).toBe(true)
    })
  )

  it.scopedLive("of two users who race for a new chat id, one gets it", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const one = yield* connect(flowIds.echo, { chat: "c1", user: 1 })
      const two = yield* connect(flowIds.echo, { chat: "c1", user: 2 })
      yield* one.say(ask("mine"))
      yield* two.say(ask("no, mine"))
      yield* Effect.all([
        one.until((f) => isClose(f) || isError(f)),
        two.until((f) => isClose(f) || isError(f))
      ])
      const refused = [one, two].filter(({ frames }) => frames.some(isError))
      expect(refused).toHaveLength(1)
      expect(codeOf(refused[0]?.frames.find(isError))).toBe(13014)
      expect((yield* messages("c1")).filter(({ category }) => category === "question")).toHaveLength(1)
    })
  )
})

describe("a question while a run is active", () => {
  it.scopedLive("waits by default, and the waiting ones run in order", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      for (const text of ["one", "two", "three"]) yield* client.say(ask(text))
      for (const [i, text] of ["one", "two", "three"].entries()) {
        expect((yield* gate(i).begun).text).toBe(text)
        yield* gate(i).finish
      }
      yield* client.untilCount(isClose, 3)
      expect(client.frames.filter(isBegin).map(({ question }) => question?.message)).toEqual([
        "one",
        "two",
        "three"
      ])
    })
  )

  it.scopedLive("is refused with 13011 when it says so, and with 13012 when too many wait", () =>
    Effect.gen(function* () {
      const { connect, gate, messages } = yield* startServer({ maxQueuedRuns: 1 })
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("one"))
      yield* gate(0).begun
      yield* client.say(ask("now or never", { on_busy: "reject", client_msg_id: "m1" }))
      const refused = yield* client.until(isError)
      expect(codeOf(refused)).toBe(13011)
      expect(JSON.parse(refused.extra)).toEqual({ client_msg_id: "m1" })
      yield* client.say(ask("two"))
      yield* client.say(ask("three"))
      yield* client.untilCount(isError, 2)
      expect(codeOf(client.frames.findLast(isError))).toBe(13012)
      expect((yield* messages("c1")).map(({ message }) => message)).toEqual(["one", "two"])
    })
  )

  it.scopedLive("interrupts: the run in progress is stopped and stored, then it runs", () =>
    Effect.gen(function* () {
      const { connect, gate, messages } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("one"))
      yield* gate(0).text("half")
      yield* client.say(ask("two", { on_busy: "interrupt" }))
      expect((yield* gate(1).begun).text).toBe("two")
      yield* gate(1).finish
      yield* client.untilCount(isClose, 2)
      expect((yield* messages("c1")).map(({ message, remark }) => [message, remark])).toEqual([
        ["one", ""],
        ["half", "break_answer"],
        ["two", ""],
        ["", ""]
      ])
    })
  )

  it.scopedLive("rolls back: what the run in progress stored is gone", () =>
    Effect.gen(function* () {
      const { connect, gate, messages } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("one"))
      yield* gate(0).text("half")
      yield* client.say(ask("two", { on_busy: "rollback" }))
      yield* gate(1).text("whole")
      yield* gate(1).finish
      yield* client.untilCount(isClose, 2)
      expect((yield* messages("c1")).map(({ message }) => message)).toEqual(["two", "whole"])
    })
  )

  it.scopedLive(
    "with a client_msg_id that was accepted before starts nothing and re-sends the run's begin",
    () =>
      Effect.gen(function* () {
        const { connect, messages } = yield* startServer()
        const client = yield* connect(flowIds.echo, { chat: "c1" })
        yield* client.say(ask("once", { client_msg_id: "m1" }))
        yield* client.until(isClose)
        const other = yield* connect(flowIds.echo, { chat: "c1" })
        yield* other.say(ask("once", { client_msg_id: "m1" }))
        const begin = yield* other.until(isBegin)
        expect(begin.run_id).toBe(client.frames[0]?.run_id)
        expect(begin.question).toEqual(client.frames[0]?.question)
        expect(JSON.parse(begin.extra)).toEqual({ status: "done" })
        expect((yield* messages("c1")).filter(({ category }) => category === "question")).toHaveLength(1)
      })
  )
})

describe("debug mode", () => {
  it.scopedLive("is private, remembers within the socket, and stores nothing", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer()
      const client = yield* connect(flowIds.echo, {})
      const other = yield* connect(flowIds.echo, {})
      yield* client.say(ask("hello"))
      yield* client.until(isClose)
      expect(client.frames.every(({ chat_id, message_id }) => chat_id === "" && message_id === null)).toBe(
        true
      )
      yield* client.say(ask("what do you remember?"))
      yield* client.untilCount(isClose, 2)
      expect(client.frames.findLast(({ type }) => type === "end_cover")?.message).toBe(
        '["hello","echo: hello"]'
      )
      expect(other.frames).toEqual([])
      expect(yield* messages("")).toEqual([])
    })
  )

  it.scopedLive("its run dies with the socket", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const client = yield* connect(flowIds.gated, {})
      yield* client.say(ask("go"))
      yield* gate(0).begun
      yield* client.close
      yield* gate(0).interrupted
    })
  )
})

describe("an app that says on_disconnect: cancel", () => {
  it.scopedLive("has its run stopped as soon as its last socket is gone", () =>
    Effect.gen(function* () {
      const cancelling = Layer.effect(
        Catalogue,
        Effect.map(Catalogue, (scripted) => ({
          ...scripted,
          open: (flowId: string) =>
            Effect.map(scripted.open(flowId), (app) => ({
              ...app,
              onDisconnect: onDisconnectOf({ on_disconnect: "cancel" })
            }))
        }))
      )
      const { connect, gate } = yield* startServer({}, { catalogue: cancelling })
      const first = yield* connect(flowIds.gated, { chat: "c1" })
      const second = yield* connect(flowIds.gated, { chat: "c1" })
      yield* first.say(ask("go"))
      yield* gate(0).begun
      yield* first.close
      yield* gate(0).text("one is still here")
      yield* second.until(({ type }) => type === "stream")
      yield* second.close
      yield* gate(0).interrupted
    })
  )
})

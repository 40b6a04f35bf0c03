import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import {
  type Client,
  type ConnectionState,
  type ConnectOptions,
  connect,
  type Session,
  type SessionEvent
} from "../../src/client/client.ts"
import { EventQueue } from "../../src/client/EventQueue.ts"
import { pongMs, quietMs } from "../../src/client/Link.ts"
import { ManualClock } from "./ManualClock.ts"
import * as meeting from "./meeting.ts"
import { next } from "./meeting.ts"
import { ScriptedServer } from "./ScriptedServer.ts"
import * as wire from "./wire.ts"

const { flowId, chatId } = wire
const otherFlow = "f".repeat(32)

let server: ScriptedServer
let clock: ManualClock
let client: Client

beforeEach(async () => {
  server = await ScriptedServer.start()
  clock = new ManualClock()
})

afterEach(async () => {
  client.close()
  await server.stop()
})

const start = (options: ConnectOptions = {}): Client => {
  client = connect({ url: server.url, token: "secret", WebSocket, clock, ...options })
  return client
}

const reached = <S extends ConnectionState["status"]>(status: S) => meeting.reached(client, status)

/** A session whose socket is open, and the server's end of it. */
const meet = (session: Session = client.session({ flowId, chatId })) => meeting.meet(server, session)

/** Lets the drawn backoff pass, and answers how long it was. */
const comeBack = async (): Promise<number> => {
  const { retryAt } = await reached("waiting")
  const delay = retryAt - clock.now()
  clock.advance(delay)
  return delay
}

describe("asking", () => {
  it("dials the session's own address as a native client", async () => {
    start()
    const { visitor } = await meet(client.session({ flowId: flowId.toUpperCase(), chatId }))
    expect(visitor.path).toBe(`/api/v1/chat/${flowId}`)
    expect(Object.fromEntries(visitor.query)).toEqual({
      chat_id: chatId,
      native: "1",
      brief: "1",
      t: "secret"
    })
  })

  it("sends the question and tells the run in typed events", async () => {
    start()
    const { session, events, visitor } = await meet()
    const id = session.send("6 times 7?", { onBusy: "interrupt" })
    expect(await visitor.payloads.take()).toEqual({
      flow_id: flowId,
      chat_id: chatId,
      inputs: { input: "6 times 7?" },
      client_msg_id: id,
      on_busy: "interrupt"
    })
    visitor.say(...wire.numbered(1, wire.assistantRun("r1", wire.question("6 times 7?", id))))
    const types: Array<string> = []
    for await (const event of events) {
      // Pieces of text that wait together come as one.
      if (types.at(-1) !== event.type) types.push(event.type)
      if (event.type === "run_closed") break
    }
    expect(types).toEqual([
      "sending",
      "run_started",
      "reasoning",
      "tool_started",
      "tool_ended",
      "step",
      "text",
      "answer",
      "run_closed"
    ])
    expect(session.state.status).toBe("ready")
  })

  it("keeps a question until there is a connection", async () => {
    start()
    const session = client.session({ flowId, chatId })
    const id = session.send("early")
    const { visitor } = await meet(session)
    expect(await visitor.payloads.take()).toMatchObject({ client_msg_id: id })
  })

  it("tells that a question waits", async () => {
    start()
    const { session, events, visitor } = await meet()
    const id = session.send("later")
    visitor.say(wire.frame("info", "queue", { message: { run_id: "r2", client_msg_id: id, position: 2 } }))
    expect(await next(events, "queued")).toEqual({
      type: "queued",
      clientMsgId: id,
      runId: "r2",
      position: 2,
      text: null
    })
  })

  it("tells which question the server refused: the oldest unacknowledged, or the one it names", async () => {
    start()
    const { session, events, visitor } = await meet()
    const error = { status_code: 13011, status_message: "busy", data: { exception: "busy" } }
    const first = session.send("one")
    const second = session.send("two")
    const third = session.send("three")
    visitor.say(
      wire.frame("end", "error", { message: error, extra: JSON.stringify({ client_msg_id: second }) })
    )
    expect(await next(events, "failed")).toMatchObject({
      clientMsgId: second,
      error: { code: 13011, detail: "" }
    })
    visitor.say(wire.frame("end", "error", { message: error }))
    expect(await next(events, "failed")).toMatchObject({ clientMsgId: first })
    visitor.say(wire.frame("end", "error", { message: JSON.stringify(error) }))
    expect(await next(events, "failed")).toMatchObject({ clientMsgId: third, error: { message: "busy" } })
  })

  it("says a question again, once the server's patience is back", async () => {
    start()
    const { session, visitor } = await meet()
    const id = session.send("one")
    await visitor.payloads.take()
    visitor.say(
      wire.frame("end", "error", {
        message: { status_code: 13013, status_message: "slow down", data: { retry_after_ms: 700 } }
      })
    )
    while ((await clock.set.take()) !== 700);
    clock.advance(700)
    expect(await visitor.payloads.take()).toMatchObject({ client_msg_id: id })
  })
})

describe("stopping", () => {
  it("stops the run, and with all the waiting questions", async () => {
    start()
    const { session, visitor } = await meet()
    session.stop()
    session.stop({ scope: "all" })
    expect(await visitor.payloads.take()).toEqual({ flow_id: flowId, chat_id: chatId, action: "stop" })
    expect(await visitor.payloads.take()).toMatchObject({ action: "stop", scope: "all" })
  })

  it("tells the partial answer, that it was stopped, and the close", async () => {
    start()
    const { events, visitor } = await meet()
    visitor.say(
      ...wire.numbered(1, [
        wire.begin("r1", wire.question("q", null)),
        wire.text("r1", "Once"),
        ...wire.stoppedTail("r1", "hm", "Once upon")
      ])
    )
    expect(await next(events, "partial")).toMatchObject({ kind: "reasoning", text: "hm" })
    expect(await next(events, "partial")).toMatchObject({ kind: "text", text: "Once upon", messageId: 8 })
    await next(events, "stopped")
    await next(events, "run_closed")
  })

  it("stops after a reconnect only the run that was meant", async () => {
    start()
    const { session, events, visitor } = await meet()
    visitor.say(...wire.numbered(1, [wire.begin("r1", wire.question("q", null))]))
    await next(events, "run_started")
    visitor.ws.terminate()
    await reached("waiting")
    session.stop()
    clock.advance(60_000)
    const second = await server.visitors.take()
    second.say(wire.opened({ recovered: true, run_id: "r1", seq: 1 }))
    expect(await second.payloads.take()).toMatchObject({ action: "stop" })
    second.ws.terminate()
    await reached("waiting")
    clock.advance(60_000)
    const third = await server.visitors.take()
    third.say(wire.opened({ recovered: true, run_id: "r2", seq: 1 }))
    const id = session.send("anything")
    expect(await third.payloads.take()).toMatchObject({ client_msg_id: id })
  })

  it("clears the model's memory, now or when there is a connection", async () => {
    start()
    const session = client.session({ flowId, chatId })
    session.clearHistory()
    const { visitor } = await meet(session)
    expect(await visitor.payloads.take()).toEqual({ flow_id: flowId, chat_id: chatId, clear_history: true })
  })
})

describe("coming back", () => {
  const half = wire.numbered(1, [wire.begin("r1", wire.question("q", null)), wire.text("r1", "half ")])

  it("resumes where it left off, and drops what it has", async () => {
    start()
    const { session, events, visitor } = await meet()
    visitor.say(...half)
    await next(events, "text")
    visitor.ws.terminate()
    await comeBack()
    const again = await server.visitors.take()
    expect(again.query.get("last_seq")).toBe("2")
    expect(again.query.get("epoch")).toBe("e1")
    again.say(
      wire.opened({ recovered: true, seq: 2, run_id: "r1" }),
      ...half,
      ...wire.numbered(3, [wire.text("r1", "whole"), wire.close("r1")])
    )
    await next(events, "run_closed")
    expect(session.state.messages[1]).toMatchObject({ text: "half whole" })
  })

  it("starts the run over where the server has lost the thread", async () => {
    start()
    const { session, events, visitor } = await meet()
    visitor.say(...half)
    await next(events, "text")
    visitor.ws.close(1012)
    await comeBack()
    const again = await server.visitors.take()
    again.say(
      wire.opened({ epoch: "e2", seq: 5, run_id: "r1" }),
      ...wire.numbered(6, [wire.begin("r1", wire.question("q", null)), wire.text("r1", "anew")])
    )
    expect(await next(events, "opened")).toMatchObject({ recovered: false })
    await next(events, "text")
    expect(session.state.messages.map(({ text }) => text)).toEqual(["q", "anew"])
  })

  it("renews the connection at a gap instead of showing half a text", async () => {
    start()
    const { session, events, visitor } = await meet()
    visitor.say(...half, ...wire.numbered(4, [wire.text("r1", "lost")]))
    expect(await visitor.gone.take()).toBe(1000)
    await comeBack()
    const again = await server.visitors.take()
    expect(again.query.get("last_seq")).toBe("2")
    again.say(
      wire.opened({ recovered: true, seq: 2, run_id: "r1" }),
      { ...wire.text("r1", "and more"), first_seq: 3, seq: 9 },
      ...wire.numbered(10, [wire.close("r1")])
    )
    await next(events, "run_closed")
    expect(session.state.messages[1]).toMatchObject({ text: "half and more" })
  })

  it("says an unacknowledged question again under the same id, and no acknowledged one", async () => {
    start()
    const { session, events, visitor } = await meet()
    const first = session.send("one")
    const second = session.send("two")
    visitor.say(...wire.numbered(1, [wire.begin("r1", wire.question("one", first))]))
    await next(events, "run_started")
    visitor.ws.terminate()
    await comeBack()
    const again = await server.visitors.take()
    again.say(wire.opened({ recovered: true, seq: 1, run_id: "r1" }))
    expect(await again.payloads.take()).toMatchObject({ client_msg_id: second, inputs: { input: "two" } })
    again.say({
      ...wire.begin("r2", wire.question("two", second)),
      extra: JSON.stringify({ status: "done" })
    })
    expect(await next(events, "accepted")).toEqual({
      type: "accepted",
      clientMsgId: second,
      runId: "r2",
      status: "done"
    })
    again.ws.terminate()
    await reached("waiting")
    clock.advance(60_000)
    const last = await server.visitors.take()
    last.say(wire.opened({ recovered: true, seq: 1 }))
    await next(events, "opened")
    const third = session.send("three")
    expect(await last.payloads.take()).toMatchObject({ client_msg_id: third })
  })

  it("goes on when the server vanishes between any two frames of a run", async () => {
    start()
    const { session, events, visitor } = await meet()
    const run = wire.numbered(1, wire.assistantRun("r1", wire.question("q", null)))
    let current = visitor
    for (const [i, frame] of run.entries()) {
      current.say(frame)
      current.ws.close(1012)
      await reached("waiting")
      clock.advance(60_000)
      current = await server.visitors.take()
      expect(current.query.get("last_seq")).toBe(`${i + 1}`)
      current.say(wire.opened({ recovered: true, seq: i + 1, run_id: "r1" }))
    }
    await next(events, "run_closed")
    expect(session.state.messages[1]).toMatchObject({
      text: "It is 42.",
      reasoning: "I should calculate.",
      status: "done"
    })
  })

  it("waits longer each time, up to a limit, by chance between nothing and the whole", async () => {
    start({ backoff: { baseMs: 100, capMs: 1000 } })
    client.session({ flowId, chatId })
    server.refuse = 503
    const delays: Array<number> = []
    for (clock.chance = 0.5; delays.length < 6; ) delays.push(await comeBack())
    expect(delays).toEqual([50, 100, 200, 400, 500, 500])
    clock.chance = 0
    expect(await comeBack()).toBe(0)
  })

  it("starts small again after a connection that held", async () => {
    start({ backoff: { baseMs: 100, capMs: 1000 } })
    const { visitor } = await meet()
    clock.advance(15_000)
    visitor.ws.terminate()
    expect(await comeBack()).toBe(50)
    const brief = await server.visitors.take()
    await reached("connected")
    brief.ws.terminate()
    expect(await comeBack()).toBe(100)
  })

  it("waits at least as long as an overloaded server asks", async () => {
    start()
    const { session, events, visitor } = await meet()
    const id = session.send("q")
    visitor.say(
      wire.frame("end", "error", {
        message: { status_code: 503, status_message: "the server is full", data: { retry_after_ms: 9000 } }
      })
    )
    visitor.ws.close(1013)
    expect(await comeBack()).toBe(9000)
    const again = await server.visitors.take()
    again.say(wire.opened())
    await next(events, "opened")
    expect(await again.payloads.take()).toMatchObject({ client_msg_id: id })
  })

  it.each([1003, 1009, 4401, 4403, 4404, 4409])("stays away after close code %i", async (code) => {
    start()
    const { session, visitor } = await meet()
    session.send("q")
    visitor.ws.close(code, "reason")
    expect(await reached("refused")).toEqual({ status: "refused", code, reason: "reason" })
    expect(session.state.messages).toMatchObject([{ delivery: "failed" }])
    client.retry()
    const again = await server.visitors.take()
    again.say(wire.opened())
    await reached("connected")
  })

  it.each([401, 403])("finds out why the handshake was refused: %i", async (status) => {
    start()
    server.refuse = status
    server.rest.set("/api/v1/chat/history", { status, body: { status_code: status } })
    client.session({ flowId, chatId })
    expect(await reached("refused")).toMatchObject({ code: status })
  })

  it("serves the others when one session's handshake is refused", async () => {
    start()
    server.refuse = 403
    server.rest.set("/api/v1/chat/history", { status: 403, body: { status_code: 403 } })
    const events = client.session({ flowId, chatId }).events()
    client.session({ flowId: otherFlow, chatId })
    await reached("waiting")
    for await (const event of events) expect(event.type).toBe("connection")
    server.refuse = null
    await comeBack()
    expect((await server.visitors.take()).path).toBe(`/api/v1/chat/${otherFlow}`)
  })

  it("asks for a fresh token before each try", async () => {
    let made = 0
    start({ token: () => `token-${++made}` })
    const { visitor } = await meet()
    expect(visitor.query.get("t")).toBe("token-1")
    visitor.ws.close(4401, "expired")
    await comeBack()
    expect((await server.visitors.take()).query.get("t")).toBe("token-2")
  })
})

describe("silence", () => {
  it("asks a silent server for a word, and leaves it when none comes", async () => {
    start()
    const { visitor } = await meet()
    clock.advance(quietMs)
    expect(await visitor.payloads.take()).toEqual({ action: "ping" })
    clock.advance(pongMs)
    expect(client.connection.status).toBe("waiting")
  })

  it("stays with one that answers", async () => {
    start()
    const { session, events, visitor } = await meet()
    for (let i = 0; i < 3; i++) {
      clock.advance(quietMs)
      expect(await visitor.payloads.take()).toEqual({ action: "ping" })
      clock.advance(1)
      visitor.say(wire.frame("info", "system", { message: "pong" }), wire.opened({ epoch: `e${i}` }))
      await next(events, "opened")
    }
    clock.advance(pongMs)
    expect(client.connection.status).toBe("connected")
    expect(session.state.connection.status).toBe("connected")
  })
})

describe("several sessions", () => {
  it("share one socket, each with its own frames", async () => {
    start()
    const { session, events, visitor } = await meet()
    const other = client.session({ flowId: otherFlow, chatId: "chat-2" })
    const otherEvents = other.events()
    expect(await visitor.payloads.take()).toEqual({ flow_id: otherFlow, chat_id: "chat-2" })
    const theirs = { flow_id: otherFlow, chat_id: "chat-2" }
    visitor.say({ ...wire.opened({ epoch: "x", seq: 40 }), ...theirs })
    await next(otherEvents, "opened")
    visitor.say({ ...wire.begin("r9", wire.question("theirs", null)), ...theirs, seq: 41 })
    visitor.say(...wire.numbered(1, [wire.begin("r1", wire.question("ours", null))]))
    expect(await next(otherEvents, "run_started")).toMatchObject({ runId: "r9" })
    expect(await next(events, "run_started")).toMatchObject({ runId: "r1" })
    visitor.ws.terminate()
    await comeBack()
    const again = await server.visitors.take()
    expect(again.query.get("last_seq")).toBe("1")
    expect(await again.payloads.take()).toEqual({ ...theirs, last_seq: 41, epoch: "x" })
    expect(session.state.messages[0]).toMatchObject({ text: "ours" })
  })

  it("end for themselves, and the socket with the last of them", async () => {
    start()
    const { session, events, visitor } = await meet()
    const other = client.session({ flowId: otherFlow, chatId: "chat-2" })
    session.close()
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect(client.connection.status).toBe("connected")
    other.close()
    expect(await visitor.gone.take()).toBe(1000)
    expect(client.connection.status).toBe("idle")
  })

  it("shed the frames of left ones by a new socket now and then", async () => {
    start()
    const { visitor } = await meet()
    for (let i = 0; i < 16; i++) client.session({ flowId, chatId: `left-${i}` }).close()
    expect(await visitor.gone.take()).toBe(1000)
    await comeBack()
    expect((await server.visitors.take()).query.get("chat_id")).toBe(chatId)
  })

  it("leaves a deleted app's session and serves the others on a new socket", async () => {
    start()
    const { events, visitor } = await meet()
    const other = client.session({ flowId: otherFlow, chatId: "chat-2" })
    visitor.ws.close(4404, "13001 deleted")
    await comeBack()
    const again = await server.visitors.take()
    expect(again.path).toBe(`/api/v1/chat/${otherFlow}`)
    for await (const event of events) expect(event.type).not.toBe("opened")
    expect(other.chatId).toBe("chat-2")
  })
})

describe("history", () => {
  it("is fetched for the state whenever the thread was lost, and older pages when asked for", async () => {
    const question = (id: number) => ({ id, category: "question", message: `q${id}`, run_id: `r${id}` })
    const ids = Array.from({ length: 30 }, (_, i) => 60 - i)
    server.rest.set("/api/v1/chat/history", {
      status: 200,
      body: { status_code: 200, data: ids.map(question) }
    })
    start()
    const { session, events } = await meet(client.session({ flowId, chatId, history: true }))
    await next(events, "history")
    expect(session.state.messages).toHaveLength(30)
    expect(session.state.before).toBe(31)
    server.rest.set("/api/v1/chat/history", {
      status: 200,
      body: { status_code: 200, data: [question(30)] }
    })
    await session.loadOlder()
    expect(session.state.messages[0]).toMatchObject({ text: "q30" })
    expect(session.state.before).toBeNull()
  })

  it("says so when it cannot be had", async () => {
    start()
    const { events } = await meet(client.session({ flowId, chatId, history: true }))
    expect(await next(events, "history_failed")).toMatchObject({ error: { detail: "not here" } })
  })
})

describe("a reader of events", () => {
  const piece = (text: string): SessionEvent => ({ type: "text", runId: "r1", text })
  const step = (text: string): SessionEvent => ({ type: "step", runId: "r1", text })

  it("gets neighbouring pieces of text as one when it was slow", async () => {
    const queue = new EventQueue(10, () => undefined)
    for (const text of ["a", "b", "c"]) queue.push(piece(text))
    queue.push(step("s"))
    queue.push(piece("d"))
    queue.end()
    const seen: Array<SessionEvent> = []
    for await (const event of queue) seen.push(event)
    expect(seen).toEqual([piece("abc"), step("s"), piece("d")])
  })

  it("is told how many events it missed, in their place", async () => {
    const queue = new EventQueue(2, () => undefined)
    for (const text of ["a", "b", "c", "d"]) queue.push(step(text))
    queue.end()
    const seen: Array<SessionEvent> = []
    for await (const event of queue) seen.push(event)
    expect(seen).toEqual([{ type: "missed", count: 2 }, step("c"), step("d")])
  })

  it("leaves nothing behind when it breaks off", async () => {
    let left = 0
    const queue = new EventQueue(2, () => {
      left += 1
    })
    queue.push(step("a"))
    for await (const _ of queue) break
    queue.push(step("b"))
    expect(await queue.next()).toEqual({ done: true, value: undefined })
    expect(left).toBe(1)
  })
})

import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Client, type ConnectionState, connect, type Session } from "../../src/client/client.ts"
import { ManualClock } from "./ManualClock.ts"
import { meet, next, reached, until } from "./meeting.ts"
import { ScriptedServer } from "./ScriptedServer.ts"
import * as wire from "./wire.ts"

const { flowId, chatId } = wire
const other = { flow_id: "f".repeat(32), chat_id: "chat-2" }

let server: ScriptedServer
let clock: ManualClock
let client: Client

beforeEach(async () => {
  server = await ScriptedServer.start()
  clock = new ManualClock()
  client = connect({ url: server.url, token: "secret", WebSocket, clock })
})

afterEach(async () => {
  client.close()
  await server.stop()
})

const askToMove = (afterMs: number) =>
  wire.frame("info", "system", {
    flow_id: "",
    chat_id: "",
    message: { action: "reconnect", after_ms: afterMs }
  })

/** Waits until a timer of this length is set, then lets the time pass. */
const pass = async (ms: number): Promise<void> => {
  while ((await clock.set.take()) !== ms);
  clock.advance(ms)
}

const half = wire.numbered(1, [wire.begin("r1", wire.question("q", null)), wire.text("r1", "half ")])
const texts = (session: Session) => session.state.messages.map(({ text }) => text)

describe("a server that is about to stop", () => {
  it("is left for another one in its time, without a gap, a repetition or a moment without connection", async () => {
    const { session, events, visitor } = await meet(server, client.session({ flowId, chatId }))
    const states: Array<ConnectionState["status"]> = []
    client.onConnection(({ status }) => states.push(status))
    visitor.say(...half, askToMove(700))
    await next(events, "text")
    await pass(700)
    const second = await server.visitors.take()
    expect(second.query.get("last_seq")).toBe("2")
    expect(second.query.get("epoch")).toBe("e1")
    // The old one goes on telling meanwhile.
    visitor.say(...wire.numbered(3, [wire.text("r1", "and ")]))
    await next(events, "text")
    second.say(
      wire.opened({ recovered: true, seq: 2, run_id: "r1" }),
      ...wire.numbered(3, [wire.text("r1", "and "), wire.text("r1", "whole")])
    )
    await next(events, "opened")
    visitor.say(...wire.numbered(4, [wire.text("r1", "whole")]))
    expect(await visitor.gone.take()).toBe(1000)
    second.say(...wire.numbered(5, [wire.close("r1")]))
    await next(events, "run_closed")
    expect(texts(session)).toEqual(["q", "half and whole"])
    expect(states).toEqual([])
  })

  it("is told nothing any more once another one has welcomed us", async () => {
    const { session, visitor } = await meet(server, client.session({ flowId, chatId }))
    visitor.say(askToMove(0))
    await pass(0)
    const second = await server.visitors.take()
    const early = session.send("before the welcome")
    expect(await visitor.payloads.take()).toMatchObject({ client_msg_id: early })
    second.say(wire.opened({ recovered: true }))
    // Nobody has acknowledged it: it is said again, under its id.
    expect(await second.payloads.take()).toMatchObject({ client_msg_id: early })
    const late = session.send("after it")
    session.stop()
    expect(await second.payloads.take()).toMatchObject({ client_msg_id: late })
    expect(await second.payloads.take()).toMatchObject({ action: "stop" })
    await visitor.gone.take()
    expect(visitor.payloads.count).toBe(0)
  })

  it("hands over each session, from where it was", async () => {
    const { events, visitor } = await meet(server, client.session({ flowId, chatId }))
    const beside = client.session({ flowId: other.flow_id, chatId: other.chat_id })
    const theirs = beside.events()
    expect(await visitor.payloads.take()).toEqual(other)
    visitor.say(
      { ...wire.opened({ epoch: "x", seq: 40 }), ...other },
      { ...wire.begin("r9", wire.question("theirs", null)), ...other, seq: 41 },
      askToMove(5)
    )
    await next(theirs, "run_started")
    await pass(5)
    const second = await server.visitors.take()
    second.say(wire.opened({ recovered: true }))
    expect(await second.payloads.take()).toEqual({ ...other, last_seq: 41, epoch: "x" })
    second.say(
      { ...wire.opened({ epoch: "x", seq: 41, recovered: true, run_id: "r9" }), ...other },
      { ...wire.close("r9"), ...other, seq: 42 },
      ...wire.numbered(1, [wire.begin("r1", wire.question("ours", null))])
    )
    await next(theirs, "run_closed")
    await next(events, "run_started")
  })

  it("is kept where the other one turns us away", async () => {
    const { events, visitor } = await meet(server, client.session({ flowId, chatId }))
    visitor.say(askToMove(5))
    await pass(5)
    const second = await server.visitors.take()
    second.say(wire.frame("end", "error", { message: { status_code: 503, status_message: "it stops" } }))
    second.ws.close(1013)
    await second.gone.take()
    visitor.say(...half)
    await next(events, "text")
    expect(client.connection.status).toBe("connected")
    expect(visitor.gone.count).toBe(0)
  })

  it("is kept where no other one lets us in, until it is gone", async () => {
    const { session, visitor } = await meet(server, client.session({ flowId, chatId }))
    server.refuse = 503
    visitor.say(askToMove(5))
    await pass(5)
    expect(await server.refused.take()).toBe(503)
    const id = session.send("still here")
    expect(await visitor.payloads.take()).toMatchObject({ client_msg_id: id })
    server.refuse = null
    visitor.ws.close(1012)
    const { retryAt } = await reached(client, "waiting")
    clock.advance(retryAt - clock.now())
    const second = await server.visitors.take()
    second.say(wire.opened({ recovered: true }))
    expect(await second.payloads.take()).toMatchObject({ client_msg_id: id })
  })

  it("is not left twice, and not after it was lost", async () => {
    const { visitor } = await meet(server, client.session({ flowId, chatId }))
    visitor.say(askToMove(50), askToMove(60))
    while ((await clock.set.take()) !== 50);
    visitor.ws.terminate()
    const { retryAt } = await reached(client, "waiting")
    expect(retryAt - clock.now()).toBe(250)
    clock.advance(250)
    const second = await server.visitors.take()
    second.say(wire.opened({ recovered: true }))
    await reached(client, "connected")
    expect(server.visitors.count).toBe(0)
  })
})

describe("a log that becomes another one on a standing connection", () => {
  const rows = [
    { id: 2, is_bot: true, category: "answer", message: "whole as stored", run_id: "r1" },
    { id: 1, is_bot: false, category: "question", message: "q", run_id: "r1" }
  ]

  it("brings back from the history what was missed; what was being written leaves no ghost", async () => {
    server.rest.set("/api/v1/chat/history", { status: 200, body: { status_code: 200, data: [] } })
    const opened = await meet(server, client.session({ flowId, chatId, history: true }))
    const { session, events, visitor } = opened
    await next(events, "history")
    visitor.say(...half)
    await next(events, "text")
    server.rest.set("/api/v1/chat/history", { status: 200, body: { status_code: 200, data: rows } })
    visitor.say(wire.opened({ epoch: "e2", seq: 30 }))
    await next(events, "history")
    expect(texts(session)).toEqual(["q", "whole as stored"])
    expect(session.state.status).toBe("ready")
    visitor.say(
      ...wire.numbered(31, [
        wire.begin("r2", wire.question("next", null, 3)),
        wire.text("r2", "on"),
        wire.close("r2")
      ])
    )
    await next(events, "run_closed")
    expect(texts(session)).toEqual(["q", "whole as stored", "next", "on"])
    visitor.ws.terminate()
    const { retryAt } = await reached(client, "waiting")
    clock.advance(retryAt - clock.now())
    const again = await server.visitors.take()
    expect([again.query.get("epoch"), again.query.get("last_seq")]).toEqual(["e2", "33"])
  })

  it("starts the run in progress over, and shows its text once", async () => {
    const { session, events, visitor } = await meet(server, client.session({ flowId, chatId }))
    visitor.say(...half)
    await next(events, "text")
    visitor.say(
      wire.opened({ epoch: "e2", seq: 0, run_id: "r1", status: "running" }),
      ...half,
      ...wire.numbered(3, [wire.text("r1", "whole"), wire.close("r1")])
    )
    await next(events, "run_closed")
    expect(texts(session)).toEqual(["q", "half whole"])
  })

  it("has the question said again that was not acknowledged, and shows it once", async () => {
    server.rest.set("/api/v1/chat/history", { status: 200, body: { status_code: 200, data: [] } })
    const opened = await meet(server, client.session({ flowId, chatId, history: true }))
    const { session, events, visitor } = opened
    await next(events, "history")
    const id = session.send("q")
    expect(await visitor.payloads.take()).toMatchObject({ client_msg_id: id })
    server.rest.set("/api/v1/chat/history", { status: 200, body: { status_code: 200, data: rows } })
    visitor.say(wire.opened({ epoch: "e2", seq: 9 }))
    expect(await visitor.payloads.take()).toMatchObject({ client_msg_id: id })
    // The history may be there before the server has said whose question it was.
    await next(events, "history")
    visitor.say({ ...wire.begin("r1", wire.question("q", id)), extra: JSON.stringify({ status: "done" }) })
    await next(events, "accepted")
    expect(texts(session)).toEqual(["q", "whole as stored"])
    expect(session.state.messages[0]).toMatchObject({ id, delivery: "sent" })
  })

  it("is only remembered where nothing was missed", async () => {
    const { session, events, visitor } = await meet(server, client.session({ flowId, chatId }))
    const id = session.send("q")
    expect(await visitor.payloads.take()).toMatchObject({ client_msg_id: id })
    visitor.say(
      wire.opened({ epoch: "e2", seq: 7, recovered: true }),
      ...wire.numbered(8, [wire.begin("r1", wire.question("q", id)), wire.text("r1", "yes")])
    )
    await next(events, "text")
    expect(texts(session)).toEqual(["q", "yes"])
    visitor.ws.terminate()
    const { retryAt } = await reached(client, "waiting")
    clock.advance(retryAt - clock.now())
    const again = await server.visitors.take()
    expect([again.query.get("epoch"), again.query.get("last_seq")]).toEqual(["e2", "9"])
    // It was said once: on the connection that stood.
    expect(visitor.payloads.count).toBe(0)
  })
})

describe("a run whose server died", () => {
  it("is lost: what was written is kept, and the error says what happened", async () => {
    const { session, visitor } = await meet(server, client.session({ flowId, chatId }))
    visitor.say(
      ...half,
      ...wire.numbered(3, [
        wire.frame("end", "answer", { run_id: "r1", message: "half ", message_id: 8 }),
        wire.frame("end", "error", {
          run_id: "r1",
          message: { status_code: 13015, status_message: "the server that ran this is gone; ask again" }
        }),
        wire.close("r1")
      ])
    )
    await until(session, () => session.state.status === "error" && session.state.runId === null)
    expect(session.state.messages[1]).toMatchObject({
      text: "half ",
      messageId: 8,
      status: "lost",
      error: { code: 13015, message: "the server that ran this is gone; ask again" }
    })
  })
})

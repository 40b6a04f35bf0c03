import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Client, connect, type Session } from "../../src/client/client.ts"
import { ManualClock } from "./ManualClock.ts"
import { until } from "./meeting.ts"
import * as runs from "./runs.ts"
import { ScriptedServer, type Visitor } from "./ScriptedServer.ts"
import * as wire from "./wire.ts"

let server: ScriptedServer
let client: Client
let clock: ManualClock

beforeEach(async () => {
  server = await ScriptedServer.start()
  clock = new ManualClock()
  client = connect({ url: server.url, token: "secret", WebSocket, clock })
})

afterEach(async () => {
  client.close()
  await server.stop()
})

/** A workflow that waits for a line of dialogue, at position 6. */
const waitingSession = async () => {
  const session = client.session({ flowId: wire.flowId, chatId: wire.chatId })
  const visitor = await server.visitors.take()
  visitor.say(wire.opened())
  session.start({}, { clientMsgId: "c1" })
  expect(await visitor.payloads.take()).toMatchObject({ action: "init_data", data: {}, client_msg_id: "c1" })
  visitor.say(...wire.numbered(1, runs.workflowUntilInput))
  await until(session, () => session.state.waiting !== null)
  return { session, visitor }
}

const cut = async (session: Session, visitor: Visitor): Promise<Visitor> => {
  visitor.ws.terminate()
  await until(session, () => session.state.connection.status === "waiting")
  const { connection } = session.state
  if (connection.status !== "waiting") throw new Error("not waiting to come back")
  clock.advance(connection.retryAt - clock.now())
  return server.visitors.take()
}

const waiting = { status: "waiting", run_id: "r1" }

describe("a reply to a run that waits", () => {
  it("keeps the prompt over a lost connection, without asking for it again", async () => {
    const { session, visitor } = await waitingSession()
    const back = await cut(session, visitor)
    expect(back.query.get("last_seq")).toBe("6")
    back.say(wire.opened({ ...waiting, seq: 6, recovered: true }))
    await until(session, () => session.state.connection.status === "connected")
    session.reply("Tea", { clientMsgId: "c2" })
    expect(await back.payloads.take()).toMatchObject({
      action: "input",
      client_msg_id: "c2",
      data: { input_1: { data: { user_input: "Tea" }, message: "Tea", message_id: 5 } }
    })
  })

  it("is not said again to a run that has ended meanwhile", async () => {
    const { session, visitor } = await waitingSession()
    session.reply("Tea", { clientMsgId: "c2" })
    await visitor.payloads.take()
    visitor.say(...wire.numbered(7, runs.workflowEnd))
    await until(session, () => session.state.waiting === null)
    const back = await cut(session, visitor)
    back.say(wire.opened({ seq: 6 + runs.workflowEnd.length, recovered: true }))
    // Nothing is left to be said: the next word is the next question.
    session.send("And now?", { clientMsgId: "c3" })
    expect(await back.payloads.take()).toMatchObject({ client_msg_id: "c3" })
  })

  it("is said again, under its id, until the server has it, and shown once", async () => {
    const { session, visitor } = await waitingSession()
    session.reply("Tea", { clientMsgId: "c2" })
    const first = await visitor.payloads.take()
    const back = await cut(session, visitor)
    back.say(wire.opened({ ...waiting, seq: 6, recovered: true }))
    expect(await back.payloads.take()).toEqual(first)
    back.say(...wire.numbered(7, runs.workflowUntilChoice("c2")))
    await until(session, () => session.state.waiting?.kind === "choose")
    const again = await cut(session, back)
    again.say(wire.opened({ ...waiting, seq: 12, recovered: true }))
    // Nothing is left to be said: the next word is the next reply.
    session.reply("a", { clientMsgId: "c3" })
    expect(await again.payloads.take()).toMatchObject({
      client_msg_id: "c3",
      data: { output_1: { data: { output_result: "a" }, message: "Good" } }
    })
    const replies = session.state.messages.flatMap((message) =>
      message.role === "assistant" ? message.parts.filter(({ kind }) => kind === "reply") : []
    )
    expect(replies).toMatchObject([
      { text: "Tea", delivery: "sent" },
      { text: "Good", delivery: "sending" }
    ])
  })

  it("asks a server that started anew what the run waits for", async () => {
    const { session, visitor } = await waitingSession()
    const back = await cut(session, visitor)
    back.say(wire.opened({ ...waiting, epoch: "e2", seq: 0, recovered: false }))
    expect(await back.payloads.take()).toMatchObject({ action: "check_status", chat_id: wire.chatId })
    expect(session.state.waiting).toBe(null)
    back.say(runs.workflowUntilInput.at(-1) ?? {})
    await until(session, () => session.state.waiting !== null)
    expect(session.state.waiting).toMatchObject({ kind: "input", nodeId: "input_1" })
  })

  it("waits again after a refusal, and the same can be said again", async () => {
    const { session, visitor } = await waitingSession()
    session.reply("Tea", { clientMsgId: "c2" })
    const first = await visitor.payloads.take()
    const message = { status_code: 13007, status_message: "no", data: { exception: "too short" } }
    visitor.say(wire.frame("end", "error", { message, extra: JSON.stringify({ client_msg_id: "c2" }) }))
    await until(session, () => session.state.waiting !== null)
    expect(session.resend("c2")).toBe(true)
    expect(await visitor.payloads.take()).toEqual(first)
    expect(session.resend("never said")).toBe(false)
  })

  it("says nothing where nothing is asked", async () => {
    const session = client.session({ flowId: wire.flowId, chatId: wire.chatId })
    expect(session.reply("Tea")).toBe(null)
  })
})

describe("batches and reports", () => {
  it("are asked with their values, idempotently", async () => {
    const session = client.session({ flowId: wire.flowId, chatId: wire.chatId })
    const visitor = await server.visitors.take()
    visitor.say(wire.opened())
    const id = session.batch(
      [
        { id: "f", filePath: "p", name: "n" },
        { id: "v", name: "city", value: "Ulm" }
      ],
      {
        questions: ["Who?"]
      }
    )
    expect(await visitor.payloads.take()).toEqual({
      flow_id: wire.flowId,
      chat_id: wire.chatId,
      action: "auto_file",
      client_msg_id: id,
      inputs: {
        data: [
          { id: "f", file_path: "p", name: "n" },
          { id: "v", name: "city", value: "Ulm" }
        ],
        questions: ["Who?"]
      }
    })
    const report = session.report()
    expect(await visitor.payloads.take()).toMatchObject({
      action: "report",
      client_msg_id: report,
      inputs: { data: [] }
    })
  })
})

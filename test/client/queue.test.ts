import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Client, type ConnectOptions, connect, type Session } from "../../src/client/client.ts"
import { ManualClock } from "./ManualClock.ts"
import { meet, next, reached, until } from "./meeting.ts"
import { type Asked, ScriptedServer } from "./ScriptedServer.ts"
import * as wire from "./wire.ts"

const { flowId, chatId } = wire

let server: ScriptedServer
let clock: ManualClock
let client: Client

beforeEach(async () => {
  server = await ScriptedServer.start()
  clock = new ManualClock()
  server.rest.set("/api/v1/chat/history", { status: 200, body: { status_code: 200, data: [] } })
  waits()
})

afterEach(async () => {
  client.close()
  await server.stop()
})

const start = (options: ConnectOptions = {}): Client => {
  client = connect({ url: server.url, token: "secret", WebSocket, clock, ...options })
  return client
}

const run = (runId: string, status: string, question: string, position: number | null = null) => ({
  run_id: runId,
  status,
  client_msg_id: `c-${runId}`,
  question,
  position
})

/** What the server lists: newest first, the first of these is next. */
const waits = (...questions: ReadonlyArray<readonly [runId: string, text: string]>): void => {
  const queued = questions.map(([runId, text], i) => run(runId, "queued", text, i + 1))
  const data = [...queued.toReversed(), run("r1", "running", "q")]
  server.rest.set("/api/v1/runs", { status: 200, body: { status_code: 200, data } })
}

const told = (runId: string, message: wire.Fields) =>
  wire.frame("info", "queue", { message: { run_id: runId, client_msg_id: `c-${runId}`, ...message } })

/** A session with a run in progress, in which the others wait. */
const busy = async (history = false) => {
  const met = await meet(server, client.session({ flowId, chatId, history }))
  met.visitor.say(...wire.numbered(1, [wire.begin("r1", wire.question("q", null))]))
  await next(met.events, "run_started")
  return met
}

const line = ({ state }: Session) => state.queue.map(({ position, text }) => `${position} ${text}`)

/** Passes over the requests that others make. */
const request = async (method: string, path: string): Promise<Asked> => {
  for (;;) {
    const asked = await server.asked.take()
    if (asked.method === method && asked.url.split("?")[0] === path) return asked
  }
}

describe("the questions that wait", () => {
  it("are read from the server, the next one first", async () => {
    start()
    const { session } = await busy()
    waits(["r2", "two"], ["r3", "three"])
    expect(await session.queue()).toEqual([
      { runId: "r2", clientMsgId: "c-r2", text: "two", position: 1 },
      { runId: "r3", clientMsgId: "c-r3", text: "three", position: 2 }
    ])
    expect((await request("GET", "/api/v1/runs")).url).toContain(`chat_id=${chatId}`)
    expect(line(session)).toEqual(["1 two", "2 three"])
  })

  it("join the queue as they are told, and leave it when they begin", async () => {
    start()
    const { session, events, visitor } = await busy()
    session.send("two", { clientMsgId: "c-r2" })
    session.send("three", { clientMsgId: "c-r3" })
    visitor.say(told("r2", { position: 1 }), told("r3", { position: 2 }))
    await until(session, () => session.state.queue.length === 2)
    expect(line(session)).toEqual(["1 two", "2 three"])
    visitor.say(
      ...wire.numbered(2, [wire.close("r1"), wire.begin("r2", wire.question("two", "c-r2", 2))]),
      // The word that it waits may be late.
      told("r2", { position: 1 })
    )
    await next(events, "run_started")
    await next(events, "queued")
    expect(line(session)).toEqual(["1 three"])
    expect(session.state.messages).toMatchObject([
      { text: "q" },
      { role: "assistant", runId: "r1" },
      { text: "two", delivery: "sent" },
      { role: "assistant", runId: "r2" },
      { text: "three", delivery: "queued" }
    ])
  })

  it("are known when the chat is opened, and marked in its history", async () => {
    start()
    waits(["r2", "two"])
    const rows = [{ id: 2, is_bot: false, category: "question", message: "two", run_id: "r2" }]
    server.rest.set("/api/v1/chat/history", { status: 200, body: { status_code: 200, data: rows } })
    const session = client.session({ flowId, chatId, history: true })
    await meet(server, session)
    await until(session, () => session.state.queue.length === 1 && session.state.messages.length === 1)
    expect(session.state.messages[0]).toMatchObject({ text: "two", delivery: "queued" })
  })

  it("are read again where one is told that somebody else has asked", async () => {
    start()
    const { session, visitor } = await busy(true)
    await until(session, () => session.state.history === "loaded")
    waits(["r2", "theirs"])
    visitor.say(told("r2", { position: 1 }))
    await until(session, () => session.state.queue.length === 1)
    expect(line(session)).toEqual(["1 theirs"])
  })

  it("are read again where an answer was older than what was told meanwhile", async () => {
    const answers: Array<(data: unknown) => void> = []
    start({
      fetch: (url) => {
        if (!url.includes("/runs")) return Promise.resolve({ status: 404, json: async () => null })
        return new Promise((resolve) => {
          answers.push((data) =>
            resolve({ status: 200, json: () => Promise.resolve({ status_code: 200, data }) })
          )
        })
      }
    })
    const { session, events, visitor } = await busy()
    const reading = session.queue()
    visitor.say(...wire.numbered(2, [wire.close("r1"), wire.begin("r2", wire.question("two", null, 2))]))
    await next(events, "run_started")
    answers.shift()?.([run("r2", "queued", "two", 1), run("r3", "queued", "three", 2)])
    while (answers.length === 0) await new Promise(setImmediate)
    answers.shift()?.([run("r3", "queued", "three", 1), run("r2", "running", "two")])
    expect(await reading).toMatchObject([{ runId: "r3", position: 1 }])
  })

  it("are gone after a reconnect that finds nothing in progress", async () => {
    start()
    const { session, visitor } = await busy()
    session.send("two", { clientMsgId: "c-r2" })
    visitor.say(told("r2", { position: 1 }))
    await until(session, () => session.state.queue.length === 1)
    visitor.ws.terminate()
    const { retryAt } = await reached(client, "waiting")
    clock.advance(retryAt - clock.now())
    const again = await server.visitors.take()
    again.say(wire.opened({ epoch: "e2", seq: 9 }))
    await until(session, () => session.state.queue.length === 0)
    expect(session.state.status).toBe("ready")
  })
})

describe("a waiting question", () => {
  const twoWaiting = async () => {
    const met = await busy()
    waits(["r2", "two"], ["r3", "three"])
    await met.session.queue()
    return met
  }

  it("is taken out of the queue", async () => {
    start()
    const { session, events } = await twoWaiting()
    server.rest.set("/api/v1/runs/r2/stop", {
      status: 200,
      body: { status_code: 200, data: { stopped: true } }
    })
    expect(await session.cancel("r2")).toBe(true)
    expect(await request("POST", "/api/v1/runs/r2/stop")).toMatchObject({ body: "" })
    expect(line(session)).toEqual(["1 three"])
    expect(await next(events, "cancelled")).toEqual({ type: "cancelled", runId: "r2", clientMsgId: "c-r2" })
  })

  it("that had ended is not said to have been cancelled", async () => {
    start()
    const { session } = await twoWaiting()
    server.rest.set("/api/v1/runs/r2/stop", {
      status: 200,
      body: { status_code: 200, data: { stopped: false } }
    })
    expect(await session.cancel("r2")).toBe(false)
    expect(line(session)).toEqual(["1 two", "2 three"])
  })

  it("is changed", async () => {
    start()
    const { session } = await twoWaiting()
    server.rest.set("/api/v1/runs/r3", { status: 200, body: { status_code: 200, data: null } })
    await session.amend("r3", "drei")
    expect(await request("PATCH", "/api/v1/runs/r3")).toMatchObject({ body: '{"message":"drei"}' })
    expect(line(session)).toEqual(["1 two", "2 drei"])
  })

  it("that does not wait any more is left as it is, and whoever wants to change it is told", async () => {
    start()
    const { session } = await twoWaiting()
    server.rest.set("/api/v1/runs/r2", {
      status: 200,
      body: { status_code: 13011, status_message: "this question does not wait any more" }
    })
    await expect(session.amend("r2", "zwei")).rejects.toMatchObject({ name: "ServerError", code: 13011 })
    expect(line(session)).toEqual(["1 two", "2 three"])
  })

  it("is seen to change and to go by everyone, in the conversation too", async () => {
    start()
    const { session, events, visitor } = await busy()
    session.send("two", { clientMsgId: "c-r2" })
    session.send("three", { clientMsgId: "c-r3" })
    visitor.say(told("r2", { position: 1 }), told("r3", { position: 2 }))
    visitor.say(told("r3", { position: 2, message: "drei" }), told("r2", { position: 0, cancelled: true }))
    await next(events, "cancelled")
    expect(line(session)).toEqual(["1 drei"])
    expect(session.state.messages.slice(2)).toMatchObject([
      { text: "two", delivery: "cancelled" },
      { text: "drei", delivery: "queued" }
    ])
    // Later it is told as a run that ended before it began.
    visitor.say(
      ...wire.numbered(2, [
        wire.begin("r2", wire.question("two", "c-r2", 2)),
        wire.frame("end", "processing", { run_id: "r2" }),
        wire.close("r2")
      ])
    )
    await next(events, "run_closed")
    expect(session.state.messages.slice(2, 4)).toMatchObject([
      { text: "two", delivery: "sent" },
      { runId: "r2", status: "stopped" }
    ])
  })
})

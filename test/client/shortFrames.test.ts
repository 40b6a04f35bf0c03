import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Client, connect, type Session, type SessionEvent } from "../../src/client/client.ts"
import { FrameReader } from "../../src/client/FrameReader.ts"
import { ManualClock } from "./ManualClock.ts"
import { meet, next, reached, until } from "./meeting.ts"
import { ScriptedServer, type Visitor } from "./ScriptedServer.ts"
import * as wire from "./wire.ts"

const { flowId, chatId } = wire

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

const begin = wire.begin("r1", wire.question("q", null))
const bearing = (ref: number, frame: wire.Fields): wire.Fields => ({ ...frame, ref })

/** Frames as they are, short ones as lists. */
const say = ({ ws }: Visitor, ...frames: ReadonlyArray<wire.Fields | ReadonlyArray<unknown>>) => {
  for (const frame of frames) ws.send(JSON.stringify(frame))
}

/** What was said, piece by piece or as one: who reads late gets it joined. */
const saidUntilClosed = async (events: AsyncIterable<SessionEvent>): Promise<Record<string, string>> => {
  const said: Record<string, string> = {}
  for await (const event of events) {
    if (event.type === "text" || event.type === "reasoning") {
      const key = `${event.type} of ${event.runId}`
      said[key] = (said[key] ?? "") + event.text
    }
    if (event.type === "run_closed") break
  }
  return said
}

const texts = (session: Session) => session.state.messages.map(({ text }) => text)

describe("the SDK", () => {
  it("asks for short frames, and reads text and reasoning in them", async () => {
    const { events, visitor } = await meet(server, client.session({ flowId, chatId }))
    expect(visitor.query.get("brief")).toBe("1")
    say(
      visitor,
      ...wire.numbered(1, [begin, bearing(1, wire.reasoning("r1", "I "))]),
      [1, 3, "should "],
      [1, 6, "think", 4],
      ...wire.numbered(7, [bearing(1, wire.text("r1", "It "))]),
      [1, 8, "is "],
      ...wire.numbered(9, [wire.frame("start", "tool", { run_id: "r1" })]),
      [1, 10, '"42" \\ 🎈\n'],
      [1, 12, "and\u0000 so", 11],
      ...wire.numbered(13, [wire.close("r1")])
    )
    expect(await saidUntilClosed(events)).toEqual({
      "reasoning of r1": "I should think",
      "text of r1": 'It is "42" \\ 🎈\nand\u0000 so'
    })
  })

  it("reads whole frames of a server that knows no short ones", async () => {
    const { session, events, visitor } = await meet(server, client.session({ flowId, chatId }))
    visitor.say(...wire.numbered(1, wire.assistantRun("r1", wire.question("q", null))))
    expect(await saidUntilClosed(events)).toEqual({
      "reasoning of r1": "I should calculate.",
      "text of r1": "It is 42"
    })
    expect(texts(session)).toEqual(["q", "It is 42."])
  })

  it("reads what a workflow's nodes say in them", async () => {
    const { events, visitor } = await meet(server, client.session({ flowId, chatId }))
    const node = { unique_id: "u1", node_id: "n1", name: "Writer", output_key: "output" }
    const message = { ...node, msg: "Dear ", reasoning_content: "" }
    say(
      visitor,
      ...wire.numbered(1, [begin, bearing(1, wire.frame("stream", "stream_msg", { run_id: "r1", message }))])
    )
    expect(await next(events, "node_text")).toMatchObject({ name: "Writer", text: "Dear " })
    say(visitor, [1, 3, "Ada"])
    expect(await next(events, "node_text")).toMatchObject({
      name: "Writer",
      text: "Ada",
      stream: "u1/output"
    })
  })

  it("tells sessions on one socket apart by their refs", async () => {
    const own = await meet(server, client.session({ flowId, chatId }))
    const other = client.session({ flowId, chatId: "chat-2" })
    const otherEvents = other.events()
    await own.visitor.payloads.take()
    const ofOther = (frame: wire.Fields) => ({ ...frame, chat_id: "chat-2" })
    say(
      own.visitor,
      ofOther(wire.opened()),
      ...wire.numbered(1, [begin, bearing(1, wire.text("r1", "one "))]),
      ...wire
        .numbered(1, [wire.begin("r2", wire.question("q", null)), bearing(2, wire.text("r2", "two "))])
        .map(ofOther),
      [2, 3, "zwei"],
      [1, 3, "eins"],
      ofOther({ ...wire.close("r2"), seq: 4 }),
      { ...wire.close("r1"), seq: 4 }
    )
    expect(await saidUntilClosed(own.events)).toEqual({ "text of r1": "one eins" })
    expect(await saidUntilClosed(otherEvents)).toEqual({ "text of r2": "two zwei" })
  })

  it("goes on from the last short frame, and knows no ref of an earlier socket", async () => {
    const { session, visitor } = await meet(server, client.session({ flowId, chatId }))
    say(visitor, ...wire.numbered(1, [begin, bearing(1, wire.text("r1", "half "))]), [1, 4, "a word", 3])
    await until(session, () => texts(session)[1] === "half a word")
    const events = session.events()
    visitor.ws.close(1012)
    const { retryAt } = await reached(client, "waiting")
    clock.advance(retryAt - clock.now())
    const second = await server.visitors.take()
    expect(second.query.get("last_seq")).toBe("4")
    say(
      second,
      wire.opened({ recovered: true, seq: 4, status: "running", run_id: "r1" }),
      [1, 5, " of the old ref"],
      ...wire.numbered(5, [bearing(1, wire.text("r1", " and"))]),
      [1, 6, " more"],
      ...wire.numbered(7, [wire.close("r1")])
    )
    expect(await saidUntilClosed(events)).toEqual({ "text of r1": " and more" })
  })

  it("comes anew where a short frame is missing", async () => {
    const { events, visitor } = await meet(server, client.session({ flowId, chatId }))
    say(visitor, ...wire.numbered(1, [begin, bearing(1, wire.text("r1", "one "))]), [1, 4, "three"])
    await next(events, "text")
    await visitor.gone.take()
    const { retryAt } = await reached(client, "waiting")
    clock.advance(retryAt - clock.now())
    expect((await server.visitors.take()).query.get("last_seq")).toBe("2")
  })
})

describe("a short frame", () => {
  const readerOf = (...frames: ReadonlyArray<wire.Fields>) => {
    const reader = new FrameReader()
    for (const frame of frames) reader.read(JSON.stringify(frame))
    return reader
  }

  it("is the whole one that bore its ref last, with its own text and numbers", () => {
    const reader = readerOf(
      ...wire.numbered(1, [bearing(1, wire.text("r1", "old")), bearing(1, wire.reasoning("r2", "new"))])
    )
    const whole = new FrameReader().read(
      JSON.stringify({ ...wire.reasoning("r2", "text"), seq: 9, first_seq: 3, ref: 1 })
    )
    expect(reader.read('[1,9,"text",3]')).toEqual(whole)
  })

  it("is nothing where it is of another shape, or nothing bore its ref", () => {
    const reader = readerOf(...wire.numbered(1, [bearing(1, wire.text("r1", "one")), wire.text("r1", "two")]))
    const none = [
      "[",
      "[]",
      "[1]",
      "[1,2]",
      "[1,2,3]",
      '["1",2,"x"]',
      '[1,"2","x"]',
      '[1,2,"x",null]',
      '[2,2,"x"]'
    ]
    for (const text of none) expect(reader.read(text)).toBeNull()
    expect(reader.read('[1,3,"x"]')).toMatchObject({ seq: 3, firstSeq: 3 })
    reader.forget()
    expect(reader.read('[1,3,"x"]')).toBeNull()
  })
})

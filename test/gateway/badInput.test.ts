import { connect as connectTcp } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { flowIds } from "../support/apps.ts"
import { isClose, type WireFrame } from "../support/client.ts"
import { startServer } from "../support/server.ts"

const ask = (input: string, more: Record<string, unknown> = {}) => ({ inputs: { input }, ...more })
const isError = ({ category }: WireFrame) => category === "error"
const messageOf = (frame: WireFrame | undefined): Record<string, unknown> => Object(frame?.message)

/** A witness on another session: whatever a bad client does, this one is served. */
const witness = (server: Effect.Effect.Success<ReturnType<typeof startServer>>) =>
  Effect.gen(function* () {
    const client = yield* server.connect(flowIds.echo, { chat: "witness", user: 7 })
    return Effect.gen(function* () {
      const before = client.frames.filter(isClose).length
      yield* client.say(ask("still served"))
      yield* client.untilCount(isClose, before + 1)
    })
  })

describe("a payload that is not understood", () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    ["an array", "[1,2]", "must be one JSON object"],
    ["a number", "42", "must be one JSON object"],
    ["not JSON", "{inputs:", "must be one JSON object"],
    ["an unknown action", '{"action":"explode"}', 'unknown action "explode"'],
    ["inputs of the wrong type", '{"inputs":"hello"}', "inputs"],
    ["no question among the inputs", '{"inputs":{"id":"x"}}', "inputs.input"],
    ["an empty question", '{"inputs":{"input":"   "}}', "inputs.input"],
    ["a question that is not text", '{"inputs":{"input":{"deep":1}}}', "inputs.input"],
    ["an on_busy that is not known", '{"inputs":{"input":"x"},"on_busy":"panic"}', "on_busy"],
    ["a client_msg_id of the wrong type", '{"inputs":{"input":"x"},"client_msg_id":7}', "client_msg_id"],
    ["a huge client_msg_id", `{"inputs":{"input":"x"},"client_msg_id":"${"m".repeat(65)}"}`, "client_msg_id"],
    ["a flow_id that is no id", '{"flow_id":"../etc","chat_id":"c2"}', "flow_id"],
    ["a chat_id with spaces", `{"flow_id":"${flowIds.echo}","chat_id":"a b"}`, "chat_id"],
    ["nothing at all", "{}", "missing"],
    ["JSON nested a thousand deep", `{"inputs":{"input":${"[".repeat(1000)}${"]".repeat(1000)}}}`, "nested"]
  ]
  for (const [what, text, reason] of cases) {
    it.scopedLive(`${what} is answered by 13007 with the reason, and the socket goes on`, () =>
      Effect.gen(function* () {
        const { connect, messages } = yield* startServer()
        const client = yield* connect(flowIds.echo, { chat: "c1" })
        yield* client.sayRaw(text)
        const error = messageOf(yield* client.until(isError))
        expect(error["status_code"]).toBe(13007)
        expect(JSON.stringify(error)).toContain(JSON.stringify(reason).slice(1, -1))
        expect(yield* messages("c1")).toEqual([])
        yield* client.say(ask("and on"))
        yield* client.until(isClose)
      })
    )
  }

  it.scopedLive("__proto__ in inputs is a key like any other", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.sayRaw(
        '{"__proto__":{"action":"stop"},"inputs":{"__proto__":{"input":"no"},"input":"yes"}}'
      )
      yield* client.until(isClose)
      expect(client.frames.findLast(({ type }) => type === "end_cover")?.message).toBe("echo: yes")
      expect(Object.hasOwn(Object.prototype, "action")).toBe(false)
    })
  )

  it.scopedLive("the third that is not JSON closes with 1007", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const served = yield* witness(server)
      const client = yield* server.connect(flowIds.echo, { chat: "c1" })
      for (let i = 0; i < 3; i++) yield* client.sayRaw("not json")
      expect(yield* client.closed).toMatchObject({ code: 1007, reason: expect.stringMatching(/^13007 /) })
      expect(client.frames.filter(isError)).toHaveLength(3)
      yield* served
    })
  )
})

describe("a message that is no text of ours", () => {
  it.scopedLive("binary closes with 1003", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const served = yield* witness(server)
      const client = yield* server.connect(flowIds.echo, { chat: "c1" })
      yield* client.sayRaw(Buffer.from([1, 2, 3]), true)
      expect(yield* client.closed).toMatchObject({ code: 1003, reason: expect.stringMatching(/^13007 /) })
      yield* served
    })
  )

  it.scopedLive("one byte over the limit closes with 1009; at the limit it is read", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const served = yield* witness(server)
      const limit = 1024 * 1024
      const padded = (bytes: number) => {
        const head = '{"action":"ping","pad":"'
        return `${head}${"x".repeat(bytes - head.length - 2)}"}`
      }
      const client = yield* server.connect(flowIds.echo, { chat: "c1" })
      yield* client.sayRaw(padded(limit))
      yield* client.until(({ message }) => message === "pong")
      yield* client.sayRaw(padded(limit + 1))
      expect(yield* client.closed).toMatchObject({ code: 1009, reason: expect.stringMatching(/^13007 /) })
      yield* served
    })
  )

  it.scopedLive("invalid UTF-8 closes with 1007", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const served = yield* witness(server)
      const client = yield* server.connect(flowIds.echo, { chat: "c1" })
      yield* client.sayRaw(Buffer.from([0xff, 0xfe, 0xfd]), false)
      expect((yield* client.closed).code).toBe(1007)
      yield* served
    })
  )

  it.scopedLive("a flood is told to slow down, then closed with 1008", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const served = yield* witness(server)
      const client = yield* server.connect(flowIds.echo, { chat: "c1" })
      yield* Effect.forEach(Array.from({ length: 1000 }), () => client.say({ action: "ping" }), {
        discard: true
      })
      expect(yield* client.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/^13013 /) })
      const error = messageOf(client.frames.find(isError))
      expect(error["status_code"]).toBe(13013)
      expect(error["data"]).toMatchObject({ retry_after_ms: expect.any(Number) })
      yield* served
    })
  )
})

describe("a socket that vanishes", () => {
  const script: ReadonlyArray<Record<string, unknown>> = [
    ask("one", { client_msg_id: "m1" }),
    ask("two", { client_msg_id: "m2" }),
    { action: "stop" },
    { clear_history: true },
    ask("three", { client_msg_id: "m3" })
  ]
  for (const step of script.keys()) {
    it.scopedLive(`after payload ${step} leaves nothing running and every accepted question stored`, () =>
      Effect.gen(function* () {
        const server = yield* startServer()
        const served = yield* witness(server)
        const client = yield* server.connect(flowIds.echo, { chat: "c1", user: 1 })
        for (const payload of script.slice(0, step + 1)) yield* client.say(payload)
        // The ping's answer shows that all before it was taken.
        yield* client.say({ action: "ping" })
        yield* client.until(({ message }) => message === "pong")
        client.ws.terminate()
        const after = yield* server.connect(flowIds.echo, { chat: "c1", user: 1 })
        yield* after.say(ask("last"))
        yield* after.until(({ message, type }) => type === "end_cover" && message === "echo: last")
        const asked = script.slice(0, step + 1).filter((payload) => "inputs" in payload).length
        const rows = yield* server.messages("c1")
        expect(rows.filter(({ category }) => category === "question")).toHaveLength(asked + 1)
        for (const run_id of new Set(rows.map((row) => row.run_id ?? ""))) {
          expect(["done", "stopped"]).toContain((yield* server.run(run_id)).status)
        }
        yield* served
      })
    )
  }

  it.scopedLive("between the upgrade request and its answer does not bring the server down", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const served = yield* witness(server)
      const token = yield* server.token(1)
      for (let i = 0; i < 20; i++) {
        yield* Effect.async<void>((resume) => {
          const socket = connectTcp(server.port, "127.0.0.1", () => {
            socket.write(
              `GET /api/v1/chat/${flowIds.echo}?chat_id=c${i}&t=${token} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
              () => socket.resetAndDestroy()
            )
          })
          socket.on("error", () => undefined)
          socket.on("close", () => resume(Effect.void))
        })
      }
      yield* served
    })
  )
})

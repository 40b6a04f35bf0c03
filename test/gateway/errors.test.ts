import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Runs } from "../../src/storage/Runs.ts"
import { StorageError } from "../../src/storage/StorageError.ts"
import { flowIds } from "../support/apps.ts"
import { isClose, nameOf, streamed, type WireFrame } from "../support/client.ts"
import { startServer } from "../support/server.ts"

const ask = (input: string, more: Record<string, unknown> = {}) => ({ inputs: { input }, ...more })
const isError = ({ category }: WireFrame) => category === "error"
const messageOf = (frame: WireFrame | undefined): Record<string, unknown> => Object(frame?.message)

describe("errors before any run", () => {
  const rows = [
    ["an unknown app", "0".repeat(32), 13001, 4404],
    ["an app that is offline", flowIds.offline, 10421, 4403],
    ["an app that is not built", flowIds.workflow, 13003, 4409]
  ] as const
  for (const [what, flowId, status, close] of rows) {
    it.scopedLive(`${what}: error ${status}, then close ${close}`, () =>
      Effect.gen(function* () {
        const { connect } = yield* startServer()
        const client = yield* connect(flowId, { chat: "c1" })
        const { code, reason } = yield* client.closed
        expect(client.frames.map(nameOf)).toEqual(["end/error"])
        expect(messageOf(client.frames[0])["status_code"]).toBe(status)
        expect(code).toBe(close)
        expect(reason).toMatch(new RegExp(`^${status} \\S`))
      })
    )
  }

  it.scopedLive("the assistants' endpoint refuses a skill with 10420", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.skill, { chat: "c1", endpoint: "assistant/chat" })
      expect((yield* client.closed).code).toBe(4404)
      expect(messageOf(client.frames[0])["status_code"]).toBe(10420)
      const fine = yield* connect(flowIds.echo, { chat: "c2", endpoint: "assistant/chat" })
      yield* fine.say(ask("hello"))
      yield* fine.until(isClose)
    })
  )

  it.scopedLive("the workflows' endpoint refuses an assistant with 13010", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer()
      const client = yield* connect(flowIds.echo, { chat: "c1", endpoint: "workflow/chat" })
      expect(yield* client.closed).toMatchObject({ code: 4404 })
      expect(messageOf(client.frames[0])["status_code"]).toBe(13010)
    })
  )
})

describe("refusals at the upgrade", () => {
  const refused = (attempt: Effect.Effect<unknown, { readonly status: number }, Scope.Scope>) =>
    Effect.map(Effect.either(attempt), (result) => (Either.isLeft(result) ? result.left.status : 101))

  it.scopedLive("401 without a token, with a forged one, and with an expired one", () =>
    Effect.gen(function* () {
      const { connectRaw, tokenFor } = yield* startServer()
      const path = `/api/v1/chat/${flowIds.echo}?chat_id=c1`
      expect(yield* refused(connectRaw(path))).toBe(401)
      expect(yield* refused(connectRaw(`${path}&t=not.a.token`))).toBe(401)
      expect(yield* refused(connectRaw(`${path}&t=${yield* tokenFor(-60)}`))).toBe(401)
    })
  )

  it.scopedLive("the token may come as query, cookie or bearer", () =>
    Effect.gen(function* () {
      const { connectRaw, token } = yield* startServer()
      const path = `/api/v1/chat/${flowIds.echo}?chat_id=c1`
      const mine = yield* token(1)
      expect(yield* refused(connectRaw(`${path}&t=${mine}`))).toBe(101)
      expect(yield* refused(connectRaw(path, { cookie: `access_token_cookie=${mine}` }))).toBe(101)
      expect(yield* refused(connectRaw(path, { authorization: `Bearer ${mine}` }))).toBe(101)
    })
  )

  it.scopedLive("403 for another user's chat", () =>
    Effect.gen(function* () {
      const { connect, connectRaw, token } = yield* startServer()
      const owner = yield* connect(flowIds.echo, { chat: "c1", user: 1 })
      yield* owner.say(ask("mine"))
      yield* owner.until(isClose)
      const path = `/api/v1/chat/${flowIds.echo}?chat_id=c1&t=${yield* token(2)}`
      expect(yield* refused(connectRaw(path))).toBe(403)
    })
  )

  it.scopedLive("403 for a page of another origin, unless it is listed", () =>
    Effect.gen(function* () {
      const { connectRaw, token, port } = yield* startServer({ allowedOrigins: ["https://listed.example"] })
      const path = `/api/v1/chat/${flowIds.echo}?chat_id=c1&t=${yield* token(1)}`
      expect(yield* refused(connectRaw(path, { origin: "https://evil.example" }))).toBe(403)
      expect(yield* refused(connectRaw(path, { origin: "https://listed.example" }))).toBe(101)
      expect(yield* refused(connectRaw(path, { origin: `http://127.0.0.1:${port}` }))).toBe(101)
    })
  )

  it.scopedLive("404 elsewhere, 400 for a chat_id of the wrong shape", () =>
    Effect.gen(function* () {
      const { connectRaw, token } = yield* startServer()
      const mine = yield* token(1)
      expect(yield* refused(connectRaw(`/api/v1/elsewhere?t=${mine}`))).toBe(404)
      expect(yield* refused(connectRaw(`/api/v1/chat/not-an-id?t=${mine}`))).toBe(404)
      expect(yield* refused(connectRaw(`/api/v1/chat/${flowIds.echo}?t=${mine}&chat_id=a%20b`))).toBe(400)
    })
  )

  it.scopedLive("503 over the connection limit", () =>
    Effect.gen(function* () {
      const { connect, connectRaw, token } = yield* startServer({ maxConnections: 2 })
      yield* connect(flowIds.echo, { chat: "c1" })
      yield* connect(flowIds.echo, { chat: "c2" })
      const path = `/api/v1/chat/${flowIds.echo}?chat_id=c3&t=${yield* token(1)}`
      expect(yield* refused(connectRaw(path))).toBe(503)
    })
  )
})

describe("errors of a run", () => {
  it.scopedLive(
    "a model's failure keeps what was streamed, says why, and closes the run, not the socket",
    () =>
      Effect.gen(function* () {
        const { connect, messages, run } = yield* startServer()
        const client = yield* connect(flowIds.failing, { chat: "c1" })
        yield* client.say(ask("go"))
        yield* client.until(isClose)
        expect(client.frames.filter(({ type }) => type !== "stream").map(nameOf)).toEqual([
          "begin/processing",
          "start/processing",
          "end/answer",
          "end/error",
          "close/processing"
        ])
        const error = messageOf(client.frames.find(isError))
        expect(error).toMatchObject({ status_code: 10499, data: { error: "the model server answered 500" } })
        expect((yield* messages("c1")).map(({ message, remark }) => [message, remark])).toEqual([
          ["go", ""],
          ["half an ", "break_answer"]
        ])
        expect(yield* run(client.frames[0]?.run_id)).toMatchObject({
          status: "failed",
          error: "the model server answered 500"
        })
        yield* client.say(ask("at once"))
        yield* client.untilCount(isClose, 2)
      })
  )

  it.scopedLive("a defect is told by an id that is in the log, without its detail", () =>
    Effect.gen(function* () {
      const { connect, run } = yield* startServer()
      const client = yield* connect(flowIds.defect, { chat: "c1" })
      yield* client.say(ask("go"))
      yield* client.until(isClose)
      const error = messageOf(client.frames.find(isError))
      expect(error["status_code"]).toBe(13004)
      expect(JSON.stringify(client.frames)).not.toContain("secret detail")
      expect(JSON.stringify(error)).toMatch(/"error_id":"[0-9a-f]{32}"/)
      expect(yield* run(client.frames[0]?.run_id)).toMatchObject({ status: "failed" })
    })
  )

  it.scopedLive("over the run limit the question is not accepted, and the socket is told to come back", () =>
    Effect.gen(function* () {
      const { connect, gate, messages } = yield* startServer({ maxRuns: 1 })
      const first = yield* connect(flowIds.gated, { chat: "c1" })
      yield* first.say(ask("go"))
      yield* gate(0).begun
      const second = yield* connect(flowIds.gated, { chat: "c2" })
      yield* second.say(ask("me too"))
      expect(yield* second.closed).toMatchObject({ code: 1013, reason: expect.stringContaining("is full") })
      expect(yield* messages("c2")).toEqual([])
    })
  )

  it.scopedLive(
    "while the server stops no question is accepted, and the socket is told to connect again",
    () =>
      Effect.gen(function* () {
        const { connect, gate, messages, shutDown, isDraining } = yield* startServer({ drainTimeout: 10 })
        const [first, second] = [
          yield* connect(flowIds.gated, { chat: "c1" }),
          yield* connect(flowIds.gated, { chat: "c2" })
        ]
        yield* first.say(ask("go"))
        yield* gate(0).begun
        const down = yield* Effect.fork(shutDown)
        yield* Effect.repeat(Effect.delay(isDraining, "5 millis"), { until: (is) => is })
        yield* second.say(ask("me too"))
        expect(yield* second.closed).toMatchObject({ code: 1013, reason: expect.stringContaining("stops") })
        expect(messageOf(second.frames.find(isError))).toMatchObject({
          status_code: 503,
          data: { retry_after_ms: 1000 }
        })
        yield* gate(0).finish
        yield* first.until(isClose)
        yield* down
        expect(yield* messages("c2")).toEqual([])
      })
  )

  it.scopedLive("when the server stops, runs are stored and every socket gets 1012", () =>
    Effect.gen(function* () {
      const { connect, gate, messages, shutDown } = yield* startServer({ drainTimeout: 0 })
      const client = yield* connect(flowIds.gated, { chat: "c1" })
      yield* client.say(ask("go"))
      yield* gate(0).text("half")
      yield* client.until(({ type }) => type === "stream")
      yield* shutDown
      expect(yield* client.closed).toMatchObject({ code: 1012 })
      expect(client.frames.slice(-3).map(nameOf)).toEqual([
        "end/answer",
        "end/processing",
        "close/processing"
      ])
      expect((yield* messages("c1")).map(({ message, remark }) => [message, remark])).toEqual([
        ["go", ""],
        ["half", "break_answer"]
      ])
    })
  )
})

describe("errors of a socket that is open", () => {
  it.scopedLive("a token that expires closes it with 4401; the run goes on", () =>
    Effect.gen(function* () {
      const { connect, connectRaw, tokenFor, gate } = yield* startServer()
      const path = `/api/v1/chat/${flowIds.gated}?chat_id=c1&t=${yield* tokenFor(2)}`
      const client = yield* Effect.orDie(connectRaw(path))
      yield* client.say(ask("go"))
      yield* gate(0).begun
      expect(yield* client.closed).toMatchObject({ code: 4401, reason: expect.stringMatching(/^401 /) })
      const again = yield* connect(flowIds.gated, { chat: "c1" })
      yield* gate(0).finish
      yield* again.until(isClose)
    })
  )

  it.scopedLive("each token closes its own sockets, whichever expires first", () =>
    Effect.gen(function* () {
      const { connectRaw, tokenFor, peerCount } = yield* startServer()
      const openWith = (seconds: number, chat: string) =>
        Effect.flatMap(tokenFor(seconds), (token) =>
          Effect.orDie(connectRaw(`/api/v1/chat/${flowIds.gated}?chat_id=${chat}&t=${token}`))
        )
      const late = yield* openWith(4, "late")
      const never = yield* openWith(600, "never")
      const early = yield* openWith(2, "early")
      const first = yield* Effect.raceFirst(Effect.as(early.closed, "early"), Effect.as(late.closed, "late"))
      expect(first).toBe("early")
      expect(yield* late.closed).toMatchObject({ code: 4401 })
      yield* Effect.repeat(Effect.yieldNow(), { until: () => peerCount() === 1 })
      expect(never.ws.readyState).toBe(never.ws.OPEN)
    })
  )

  it.scopedLive("a peer that reads nothing is closed with 4408, and can resume without a gap", () =>
    Effect.gen(function* () {
      const patience = { pingEvery: 30, stall: 2 }
      const { connect, gate, peerCount } = yield* startServer({}, { patience })
      const client = yield* connect(flowIds.gated, { chat: "c1", query: "&native=1" })
      const { epoch } = messageOf(yield* client.until(({ category }) => category === "session"))
      yield* client.say(ask("go"))
      yield* client.until(({ type }) => type === "start")
      const last = client.frames.at(-1)?.seq
      client.ws.pause()
      // Far more than the kernel takes for a peer that does not read.
      const text = "汉".repeat(256 * 1024)
      for (let i = 0; i < 15; i++) yield* gate(0).text(text)
      yield* Effect.repeat(Effect.yieldNow(), { until: () => peerCount() === 0 })
      const again = yield* connect(flowIds.gated, {
        chat: "c1",
        query: `&native=1&epoch=${epoch}&last_seq=${last}`
      })
      yield* gate(0).finish
      yield* again.until(isClose)
      expect(streamed(again.frames)).toBe(text.repeat(15))
    })
  )

  it.scopedLive("a database out of reach is told as 13004 with an error id, and 1011; nothing runs", () =>
    Effect.gen(function* () {
      const runs = Layer.effect(
        Runs,
        Effect.map(Runs, (stored) => ({
          ...stored,
          accept: () => Effect.fail(new StorageError({ operation: "accept", cause: "password=hunter2" }))
        }))
      )
      const { connect, messages } = yield* startServer({}, { runs })
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say(ask("go"))
      expect(yield* client.closed).toMatchObject({ code: 1011, reason: expect.stringMatching(/^13004 /) })
      expect(messageOf(client.frames.find(isError))).toMatchObject({
        status_code: 13004,
        data: { error_id: expect.stringMatching(/^[0-9a-f]{32}$/) }
      })
      expect(JSON.stringify(client.frames)).not.toContain("hunter2")
      expect(yield* messages("c1")).toEqual([])
    })
  )
})

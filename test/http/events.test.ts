import { request } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import { Settings } from "../../src/config.ts"
import { EventFeed } from "../../src/http/EventFeed.ts"
import { EventFeeds } from "../../src/http/EventFeeds.ts"
import { frame } from "../../src/protocol/frames.ts"
import { runBubble } from "../../src/protocol/streaming.ts"
import { FrameLog } from "../../src/session/FrameLog.ts"
import { SessionControl } from "../../src/session/SessionControl.ts"
import { promptGraph } from "../app/graphs.ts"
import { dialogue, end, graph, start } from "../app/workflow/support.ts"
import { flowIds } from "../support/apps.ts"
import { isClose, streamed, type WireFrame } from "../support/client.ts"
import { redisServer } from "../support/faults/redis.ts"
import { startFull } from "../support/fullServer.ts"
import { testSettings } from "../support/settings.ts"
import { lastWords, type Speech } from "../support/speech.ts"
import { at, type Someone, startHttp } from "./support.ts"

interface SentEvent {
  /** "" where it has none: it is a frame. */
  readonly name: string
  readonly id: string
  /** "" of a comment. */
  readonly data: string
}

const eventIn = (block: string): SentEvent => {
  const fields = block.split("\n").map((line) => /^(\w*): ?(.*)$/s.exec(line) ?? [])
  const value = (name: string) => fields.find(([, field]) => field === name)?.[2] ?? ""
  return { name: block.startsWith(":") ? ":" : value("event"), id: value("id"), data: value("data") }
}

interface Where {
  readonly token?: string
  readonly query?: string
  readonly headers?: Record<string, string>
}

const patience = "10 seconds"

/** Follows a chat's events as a browser does, until the scope closes. */
const follow = (origin: string, chatId: string, { token, query = "", headers = {} }: Where) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const watchers = new Set<() => void>()
      const events: Array<SentEvent> = []
      const seen = { status: 0, type: "", text: "", ended: false }
      let rest = ""
      const notify = () => {
        for (const watcher of watchers) watcher()
      }
      const asked = request(`${origin}/api/v1/chat/${chatId}/events${query}`, {
        agent: false,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers }
      })
      asked.on("response", (response) => {
        seen.status = response.statusCode ?? 0
        seen.type = response.headers["content-type"] ?? ""
        response.setEncoding("utf8")
        response.on("data", (text: string) => {
          seen.text += text
          const blocks = (rest + text).split("\n\n")
          rest = blocks.pop() ?? ""
          events.push(...blocks.map(eventIn))
          notify()
        })
        response.on("error", notify)
        response.on("close", () => {
          seen.ended = true
          notify()
        })
        notify()
      })
      asked.on("error", () => {
        seen.ended = true
        notify()
      })
      asked.end()

      const until = (test: () => boolean, what: string): Effect.Effect<void> =>
        Effect.async<void>((resume) => {
          const check = () => {
            if (!test()) return
            watchers.delete(check)
            resume(Effect.void)
          }
          watchers.add(check)
          check()
          return Effect.sync(() => watchers.delete(check))
        }).pipe(
          Effect.timeoutFail({
            duration: patience,
            onTimeout: () => new Error(`waited for ${what}; saw ${seen.status} ${seen.text.slice(0, 2000)}`)
          }),
          Effect.orDie
        )
      const frames = (): ReadonlyArray<WireFrame> =>
        events.flatMap(({ name, data }) => (name === "" && data !== "" ? [JSON.parse(data)] : []))
      const sessions = (): ReadonlyArray<unknown> =>
        events.flatMap(({ name, data }) => (name === "session" ? [JSON.parse(data)] : []))
      return {
        asked,
        seen,
        events,
        frames,
        sessions,
        text: () => streamed(frames()),
        answered: until(() => seen.status !== 0, "an answer"),
        opened: until(() => sessions().length > 0, "the session"),
        until: (test: (frame: WireFrame) => boolean, count = 1) =>
          until(() => frames().filter(test).length >= count, `${count} frames`),
        untilEvent: (name: string, count = 1) =>
          until(() => events.filter((event) => event.name === name).length >= count, name),
        ended: until(() => seen.ended, "the end"),
        close: Effect.sync(() => asked.destroy())
      }
    }),
    ({ close }) => close
  )

const ask = (text: string) => ({ inputs: { input: text } })

const setUp = (settings: Parameters<typeof startHttp>[0] = {}) =>
  Effect.gen(function* () {
    const server = yield* startHttp(settings)
    const root = yield* server.register("root")
    const ada = yield* server.register("ada")
    const bob = yield* server.register("bob")
    return {
      server,
      root,
      ada,
      bob,
      events: (as: Someone, flowId: string, where: Where = {}, chatId = "c1") =>
        follow(server.origin, chatId, {
          token: as.token,
          ...where,
          query: `?flow_id=${flowId}${where.query ?? ""}`
        })
    }
  })

/** Every log that was read since, by who read it. */
const watchedLogs = Effect.acquireRelease(
  Effect.sync(() => vi.spyOn(FrameLog.prototype, "subscribe")),
  (spy) => Effect.sync(() => spy.mockRestore())
)

const turns = (count: number) =>
  Effect.replicateEffect(
    Effect.async<void>((resume) => {
      setImmediate(() => resume(Effect.void))
    }),
    count,
    { discard: true }
  )

const seqs = (frames: ReadonlyArray<WireFrame>) => frames.map(({ seq }) => seq)

describe("the events of a session", () => {
  it.scopedLive("are its frames as a socket has them, each with its place, across runs", () =>
    Effect.gen(function* () {
      const { server, ada, events } = yield* setUp()
      const stream = yield* events(ada, flowIds.echo)
      yield* stream.opened
      expect(stream.seen.status).toBe(200)
      expect(stream.seen.type).toBe("text/event-stream")
      const [place] = stream.sessions()
      const epoch = String(at(place, "epoch"))
      expect(place).toEqual({ epoch, seq: 0, status: "idle", run_id: null, recovered: false })
      const socket = yield* server.socket(flowIds.echo, "c1", ada)
      yield* socket.say(ask("hello there"))
      yield* socket.say(ask("and again"))
      yield* socket.untilCount(isClose, 2)
      yield* stream.until(isClose, 2)
      expect(stream.frames()).toEqual(socket.frames)
      expect(stream.events.map(({ name, id }) => [name, id])).toEqual([
        ["session", `${epoch}:0`],
        ...socket.frames.map(({ seq }) => ["", `${epoch}:${seq}`])
      ])
      expect(seqs(stream.frames())).toEqual(socket.frames.map((_, i) => i + 1))
    })
  )

  it.scopedLive("are the same for everyone who follows", () =>
    Effect.gen(function* () {
      const { server, ada, root, events } = yield* setUp()
      const socket = yield* server.socket(flowIds.echo, "c1", ada)
      yield* socket.say(ask("mine"))
      yield* socket.until(isClose)
      const one = yield* events(ada, flowIds.echo)
      // The chat is known by now: its app need not be named. An admin reads along.
      const other = yield* follow(server.origin, "c1", { token: root.token })
      yield* Effect.all([one.opened, other.opened])
      yield* socket.say(ask("one two three"))
      yield* Effect.all([one.until(isClose), other.until(isClose)])
      expect(one.seen.text).toBe(other.seen.text)
      expect(one.text()).toBe("echo: one two three")
    })
  )

  it.scopedLive("of a run in progress come from its start, its text merged", () =>
    Effect.gen(function* () {
      const { server, ada, events } = yield* setUp()
      const socket = yield* server.socket(flowIds.gated, "c1", ada)
      yield* socket.say(ask("go"))
      yield* server.gate(0).begun
      for (let i = 0; i < 200; i++) {
        yield* server.gate(0).text(`${i} `)
        yield* turns(1)
      }
      // The last words come with those before them where the process is busy.
      yield* socket.until(({ message }) => String(at(message, "content")).endsWith("199 "))
      const stream = yield* events(ada, flowIds.gated)
      yield* stream.opened
      expect(stream.sessions()).toMatchObject([{ seq: 0, status: "running", recovered: false }])
      yield* server.gate(0).finish
      yield* stream.until(isClose)
      expect(stream.text()).toBe(Array.from({ length: 200 }, (_, i) => `${i} `).join(""))
      expect(stream.frames().length).toBeLessThan(30)
      const merged = stream.frames().find(({ first_seq }) => first_seq !== undefined)
      expect((merged?.seq ?? 0) - (merged?.first_seq ?? 0)).toBeGreaterThan(64)
    })
  )

  it.scopedLive("tell that a run waits for a person", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const sketch = graph(
        [start(), dialogue("ask_1"), end],
        [
          ["start_1", "ask_1"],
          ["ask_1", "end_1"]
        ]
      )
      const app = yield* server.app(sketch, 10)
      const client = yield* server.connect(app)
      yield* client.say({ action: "init_data", flow_id: app, chat_id: "c1" })
      yield* client.until(({ category }) => category === "input")
      const stream = yield* follow(server.origin, "c1", { token: yield* server.token(1) })
      yield* stream.opened
      expect(stream.sessions()).toMatchObject([{ status: "waiting" }])
    })
  )
})

describe("coming back", () => {
  const begun = Effect.gen(function* () {
    const all = yield* setUp()
    const { server, ada, events } = all
    const first = yield* events(ada, flowIds.gated)
    const socket = yield* server.socket(flowIds.gated, "c1", ada)
    yield* first.opened
    yield* socket.say(ask("go"))
    yield* server.gate(0).text("one ")
    yield* first.until(({ type }) => type === "stream")
    yield* first.close
    yield* server.gate(0).text("two ")
    yield* socket.until(({ message }) => at(message, "content") === "two ")
    const last = first.events.at(-1)?.id ?? ""
    return { ...all, first, last, socket }
  })

  const goesOn = (where: (last: string) => Where) =>
    Effect.gen(function* () {
      const { server, ada, events, first, last, socket } = yield* begun
      const second = yield* events(ada, flowIds.gated, where(last))
      yield* second.opened
      const place = { status: "running", recovered: true, seq: first.frames().at(-1)?.seq }
      expect(second.sessions()).toMatchObject([place])
      yield* server.gate(0).text("three")
      yield* server.gate(0).finish
      yield* second.until(isClose)
      yield* socket.until(isClose)
      expect(seqs([...first.frames(), ...second.frames()])).toEqual(socket.frames.map((_, i) => i + 1))
      expect(first.text() + second.text()).toBe("one two three")
    })

  it.scopedLive("by the id of the last event brings exactly what was missed, then goes on live", () =>
    goesOn((last) => ({ headers: { "last-event-id": last } }))
  )

  it.scopedLive("does the same by epoch and last_seq, which a later Last-Event-ID overrules", () =>
    Effect.gen(function* () {
      yield* goesOn((last) => {
        const [epoch, seq] = last.split(":")
        return { query: `&epoch=${epoch}&last_seq=${seq}` }
      })
      yield* goesOn((last) => ({
        query: "&epoch=older&last_seq=1",
        headers: { "last-event-id": last }
      }))
    })
  )

  it.scopedLive("with a place that is not known begins anew and says so", () =>
    Effect.gen(function* () {
      const { ada, events, last } = yield* begun
      const [epoch = ""] = last.split(":")
      for (const id of [
        "nonsense",
        ":",
        `${epoch}:`,
        `${epoch}:-1`,
        `${epoch}:1e3`,
        `${epoch}:999`,
        `${epoch}:${"9".repeat(400)}`,
        "older:1",
        "a:b:c",
        "\u00e9:1"
      ]) {
        const stream = yield* events(ada, flowIds.gated, { headers: { "last-event-id": id } })
        yield* stream.until(({ message }) => at(message, "content") === "two ")
        expect(stream.sessions(), id).toMatchObject([{ epoch, seq: 0, recovered: false }])
        expect(seqs(stream.frames())[0], id).toBe(1)
        yield* stream.close
      }
    })
  )

  it.scopedLive("after a gap is told to reload, and gets what is kept", () =>
    Effect.gen(function* () {
      const redis = yield* redisServer()
      const settings = { redisUrl: Option.some(Redacted.make(redis.url)) }
      const model: Speech = (request) =>
        lastWords(request) === "after" ? { holds: "on and on" } : "an answer"
      const one = yield* startFull({ settings: { ...settings, nodeId: "one" }, model })
      const other = yield* startFull({ settings: { ...settings, nodeId: "other" }, after: one.left })
      const app = yield* one.app(promptGraph("{input}"))
      const client = yield* one.connect(app)
      yield* client.say(ask("before"))
      yield* client.until(isClose)
      const stream = yield* follow(other.origin, "c1", { token: yield* other.token(1) })
      yield* stream.opened
      expect(stream.sessions()).toMatchObject([{ status: "idle", recovered: false }])
      yield* redis.flush
      yield* client.say(ask("after"))
      yield* stream.untilEvent("session", 2)
      yield* stream.until(({ type }) => type === "stream")
      yield* client.say({ action: "stop" })
      yield* stream.until(isClose)
      const [before, after] = stream.sessions()
      expect(after).toMatchObject({ status: "running", recovered: false })
      expect(at(after, "epoch")).not.toBe(at(before, "epoch"))
      expect(stream.events.at(-1)?.id).toMatch(new RegExp(`^${at(after, "epoch")}:`))
      expect(stream.text()).toBe("on and on")
    })
  )
})

describe("a client of events", () => {
  it.scopedLive("that does not read costs the others nothing, and gets the same text when it reads", () =>
    Effect.gen(function* () {
      const { server, ada, events } = yield* setUp()
      const logs = yield* watchedLogs
      const stream = yield* events(ada, flowIds.gated)
      yield* stream.opened
      const [reader] = logs.mock.calls[0] ?? []
      const socket = yield* server.socket(flowIds.gated, "c1", ada)
      yield* socket.say(ask("go"))
      yield* stream.until(({ type }) => type === "start")
      yield* Effect.sync(() => stream.asked.socket?.pause())
      // Far more than the kernel takes for a peer that does not read.
      const text = "汉".repeat(256 * 1024)
      for (let i = 0; i < 15; i++) {
        yield* server.gate(0).text(text)
        yield* turns(1)
      }
      yield* server.gate(0).finish
      yield* socket.until(isClose)
      // Nothing of it is kept for the one that does not read but its place in the log.
      expect(reader?.position()).toBeLessThan(socket.frames.at(-1)?.seq ?? 0)
      yield* Effect.sync(() => stream.asked.socket?.resume())
      yield* stream.until(isClose)
      expect(stream.text() === text.repeat(15)).toBe(true)
      expect(seqs(stream.frames()).at(-1)).toBe(socket.frames.at(-1)?.seq)
    })
  )

  it.scopedLive("that goes early leaves nothing behind", () =>
    Effect.gen(function* () {
      const { ada, events } = yield* setUp({ settings: { maxConnections: 2 } })
      const logs = yield* watchedLogs
      for (let i = 0; i < 5; i++) {
        const both = [yield* events(ada, flowIds.gated), yield* events(ada, flowIds.gated)]
        yield* Effect.forEach(both, ({ opened }) => opened)
        const third = yield* events(ada, flowIds.gated)
        yield* third.answered
        expect(third.seen.status).toBe(503)
        yield* Effect.forEach(both, ({ close }) => close)
        const [log] = logs.mock.contexts
        yield* Effect.repeat(turns(1), { until: () => log instanceof FrameLog && log.readerCount === 0 })
      }
      expect(new Set(logs.mock.contexts).size).toBe(1)
    })
  )

  it.scopedLive("keeps a run alive as a socket does", () =>
    Effect.gen(function* () {
      const { server, ada, events } = yield* setUp({ settings: { runOrphanTimeout: Duration.zero } })
      const stream = yield* events(ada, flowIds.gated)
      yield* stream.opened
      const socket = yield* server.socket(flowIds.gated, "c1", ada)
      yield* socket.say(ask("go"))
      yield* server.gate(0).begun
      yield* socket.close
      yield* server.gate(0).text("still here")
      yield* stream.until(({ type }) => type === "stream")
      yield* stream.close
      yield* server.gate(0).interrupted
    })
  )

  it.scopedLive("is who may read the chat, and says which", () =>
    Effect.gen(function* () {
      const { server, ada, bob, events } = yield* setUp()
      yield* server.chat(ada, "adas", [["question", "answer"]], flowIds.echo)
      const at200 = (path: string, as: Someone) => server.get(path, { as })
      const refusals = [
        [bob, "/chat/adas/events", 403],
        [bob, `/chat/adas/events?flow_id=${flowIds.echo}`, 403],
        [ada, `/chat/adas/events?flow_id=${flowIds.skill}`, 422],
        [ada, "/chat/new/events", 422],
        [ada, "/chat/new/events?flow_id=", 422],
        [ada, "/chat/new/events?flow_id=xyz", 422],
        [ada, "/chat/a%20b/events", 422],
        [ada, "/chat/adas/events?last_seq=-1", 422],
        [ada, "/chat/adas/events?last_seq=one", 422],
        [ada, `/chat/adas/events?epoch=${"x".repeat(65)}`, 422]
      ] as const
      for (const [as, path, status] of refusals) {
        const answer = yield* at200(path, as)
        expect(answer.status, path).toBe(status)
        expect(answer.body, path).toMatchObject({ status_code: status, data: null })
      }
      for (const headers of [{}, { "share-token": "anything" }, { authorization: "Bearer forged" }]) {
        const answer = yield* server.get("/chat/adas/events", { headers })
        expect(answer.status).toBe(401)
      }
      // The business of apps is told as elsewhere.
      const offline = yield* at200(`/chat/new/events?flow_id=${flowIds.offline}`, ada)
      expect([offline.status, at(offline.body, "status_code")]).toEqual([200, 10421])
      const unknown = yield* at200(`/chat/new/events?flow_id=${"0".repeat(32)}`, ada)
      expect([unknown.status, at(unknown.body, "status_code")]).toEqual([200, 13001])
      // Two people may give a new chat the same name; whoever writes first has it.
      const theirs = yield* events(bob, flowIds.echo, {}, "new")
      yield* theirs.opened
    })
  )

  it.scopedLive("brings its token in the query, in the cookie, or as bearer", () =>
    Effect.gen(function* () {
      const { server, ada } = yield* setUp()
      const flow = `?flow_id=${flowIds.echo}`
      for (const where of [
        { query: `${flow}&t=${ada.token}` },
        { query: flow, headers: { cookie: `access_token_cookie=${ada.token}` } },
        { query: flow, token: ada.token }
      ]) {
        const stream = yield* follow(server.origin, "c1", where)
        yield* stream.opened
      }
    })
  )

  it.scopedLive("whose token expires is told so, and that is the end", () =>
    Effect.gen(function* () {
      const { server, ada, events } = yield* setUp()
      const sub = JSON.stringify({ user_id: ada.id, user_name: "ada" })
      const brief = yield* server.minted({ sub, exp: Math.floor(Date.now() / 1000) + 2 })
      const stream = yield* events(brief, flowIds.echo)
      yield* stream.opened
      yield* stream.ended
      expect(stream.events.at(-1)).toMatchObject({ name: "error" })
      expect(JSON.parse(stream.events.at(-1)?.data ?? "")).toMatchObject({
        status_code: 401,
        status_message: "the token expired; sign in again"
      })
    })
  )
})

describe("a server that ends", () => {
  it.scopedLive("tells the run's end first, then to come back", () =>
    Effect.gen(function* () {
      const server = yield* startFull({ model: () => ({ holds: "half an answer" }) })
      const app = yield* server.app(promptGraph("{input}"))
      const client = yield* server.connect(app)
      yield* client.say(ask("go"))
      yield* server.model.holding(1)
      const stream = yield* follow(server.origin, "c1", { token: yield* server.token(1) })
      yield* stream.until(({ type }) => type === "stream")
      yield* server.shutDown
      yield* stream.ended
      expect(stream.frames().filter(isClose)).toHaveLength(1)
      expect(stream.text()).toBe("half an answer")
      expect(stream.events.at(-1)?.name).toBe("reconnect")
      expect(stream.seen.text).toMatch(/retry: \d+\nevent: reconnect\ndata: {"after_ms":\d+}\n\n$/)
    })
  )

  it.scopedLive("sends who comes too late elsewhere at once", () =>
    Effect.gen(function* () {
      const { server, ada, events } = yield* setUp()
      yield* server.drain
      const stream = yield* events(ada, flowIds.echo)
      yield* stream.ended
      expect(stream.seen.status).toBe(200)
      expect(stream.events.map(({ name }) => name)).toEqual(["reconnect"])
    })
  )
})

/** A feed over a log of the test's, under the test's clock; what it sends is taken where `reads` is said. */
const looked = (
  use: (bench: {
    readonly log: FrameLog
    readonly sent: () => string
    readonly line: { taken: number; cuts: number }
    readonly drain: () => void
  }) => Effect.Effect<void>,
  {
    reads = true,
    expiresAt = null,
    shared = false
  }: Partial<Record<"reads" | "shared", boolean>> & {
    readonly expiresAt?: number | null
  } = {}
) =>
  Effect.gen(function* () {
    const address = { flowId: flowIds.echo, chatId: "c1" }
    const log = new FrameLog({
      epoch: "e1",
      address,
      onDirty: () => undefined,
      retention: { maxFrames: 20_000, maxChars: 1024 * 1024 }
    })
    const line = { taken: 0, cuts: 0 }
    let draining = false
    let sent = ""
    const control = { forget: () => Effect.void, draining: Effect.sync(() => draining) }
    const redisUrl = shared ? Option.some(Redacted.make("redis://127.0.0.1")) : Option.none()
    const layer = EventFeeds.Live.pipe(
      Layer.provide(Layer.succeed(SessionControl, control)),
      Layer.provide(Layer.succeed(Settings, Settings.of({ ...testSettings, redisUrl })))
    )
    const feeds = Context.get(yield* Layer.build(layer), EventFeeds)
    const feed = new EventFeed(
      log,
      {
        taken: () => line.taken,
        cut: () => {
          line.cuts += 1
        }
      },
      { resume: null, expiresAt }
    )
    const scope = yield* Effect.acquireRelease(Scope.make(), (made) => Scope.close(made, Exit.void))
    yield* Scope.extend(feeds.join(feed), scope)
    feed.body.on("end", () => Effect.runSync(Scope.close(scope, Exit.void)))
    if (reads) {
      feed.body.on("data", (chunk) => {
        sent += chunk
      })
    }
    const drain = () => {
      draining = true
    }
    yield* turns(1)
    yield* use({ log, line, drain, sent: () => sent })
    feed.close()
    expect(log.readerCount).toBe(0)
  })

const seconds = (count: number) => Effect.zipRight(TestClock.adjust(Duration.seconds(count)), turns(2))

describe("an event stream, as time goes by", () => {
  it.scoped("shows every 15 seconds that it lives", () =>
    looked(({ sent }) =>
      Effect.gen(function* () {
        yield* seconds(14)
        const opened = sent()
        expect(opened).not.toContain(": \n\n")
        yield* seconds(1)
        expect(sent()).toBe(`${opened}: \n\n`)
        yield* seconds(30)
        expect(sent()).toBe(`${opened}${": \n\n".repeat(3)}`)
      })
    )
  )

  it.scoped("is cut when its client takes nothing for a minute, and not while it takes a little", () =>
    looked(
      ({ line }) =>
        Effect.gen(function* () {
          for (let i = 0; i < 3; i++) {
            yield* seconds(50)
            line.taken += 1
          }
          yield* seconds(60)
          expect(line.cuts).toBe(0)
          yield* seconds(1)
          expect(line.cuts).toBeGreaterThan(0)
        }),
      { reads: false }
    )
  )

  it.scoped("is not cut when there is nothing to take", () =>
    looked(({ line }) =>
      Effect.gen(function* () {
        yield* seconds(100)
        expect(line.cuts).toBe(0)
      })
    )
  )

  it.scoped("leaves for another node within the time that is set for that", () =>
    looked(
      ({ sent, drain }) =>
        Effect.gen(function* () {
          yield* seconds(100)
          drain()
          yield* seconds(1)
          expect(sent()).not.toContain("reconnect")
          yield* seconds(15)
          expect(sent()).toMatch(/retry: \d+\nevent: reconnect\ndata: {"after_ms":\d+}\n\n$/)
        }),
      { shared: true }
    )
  )

  it.scoped("stays while runs are drained where there is no other node", () =>
    looked(({ sent, drain, log }) =>
      Effect.gen(function* () {
        drain()
        yield* seconds(20)
        log.append(frame(log.address, "close", "processing"))
        log.flush()
        yield* turns(1)
        expect(sent()).toContain('"type":"close"')
        expect(sent()).not.toContain("reconnect")
      })
    )
  )
})

/** What a feed has said so far to a client that takes all. */
const saidBy = (feed: EventFeed) => {
  let text = ""
  feed.body.on("data", (chunk) => {
    text += chunk
  })
  return () => text.split("\n\n").filter(Boolean).map(eventIn)
}

const placesIn = (events: ReadonlyArray<SentEvent>): ReadonlyArray<unknown> =>
  events.flatMap(({ name, data }) => (name === "session" ? [JSON.parse(data)] : []))

describe("a feed", () => {
  const line = { taken: () => 0, cut: () => undefined }
  const address = { flowId: flowIds.echo, chatId: "c1" }
  const logOf = (epoch: string) =>
    new FrameLog({
      epoch,
      address,
      onDirty: () => undefined,
      retention: { maxFrames: 10, maxChars: 1_000_000 }
    })
  const info = (log: FrameLog, count: number) => {
    for (let i = 0; i < count; i++) log.append(frame(address, "info", "system"))
    log.flush()
  }

  it.live("of a client so late that its place is gone says so, and goes on with the run in progress", () =>
    Effect.gen(function* () {
      const log = logOf("e1")
      info(log, 3)
      const feed = new EventFeed(log, line, { resume: { epoch: "e1", lastSeq: 1 }, expiresAt: null })
      // Beyond the patience that a log has with those who read.
      info(log, 200)
      log.beginRun("r1", "node-1")
      log.delta("content", "text", runBubble(address, "r1"))
      log.flush()
      expect(log.has(1)).toBe(false)
      const said = saidBy(feed)
      yield* turns(2)
      expect(placesIn(said())).toMatchObject([
        { epoch: "e1", seq: 203, status: "running", run_id: "r1", recovered: false }
      ])
      expect(said().map(({ id }) => id)).toEqual(["e1:203", "e1:204"])
      feed.close()
      expect(log.readerCount).toBe(0)
    })
  )

  it.live("of a log that is replaced says where the other one begins, and that frames may be missing", () =>
    Effect.gen(function* () {
      for (const isEmpty of [true, false]) {
        const log = logOf("e1")
        if (!isEmpty) info(log, 2)
        const feed = new EventFeed(log, line, { resume: { epoch: "e1", lastSeq: 0 }, expiresAt: null })
        const said = saidBy(feed)
        yield* turns(2)
        log.replace("e2", 7, [])
        info(log, 1)
        yield* turns(2)
        expect(placesIn(said())).toMatchObject([
          { epoch: "e1", seq: 0, recovered: true },
          { epoch: "e2", seq: 7, recovered: false }
        ])
        expect(said().at(-1)?.id).toBe("e2:8")
        feed.close()
      }
    })
  )

  it.live("that is ended has its last words at once, however much there is to read", () =>
    Effect.gen(function* () {
      const log = logOf("e1")
      const feed = new EventFeed(log, line, { resume: null, expiresAt: null })
      info(log, 5)
      feed.end("event: bye\ndata: 1\n\n")
      const said = saidBy(feed)
      yield* Effect.async<void>((resume) => {
        feed.body.on("end", () => resume(Effect.void))
      })
      expect(said().map(({ name }) => name)).toEqual(["bye"])
      feed.close()
    })
  )
})

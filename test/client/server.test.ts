/** The SDK against the real program: nothing here is scripted but the model. */
import { expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WebSocket } from "ws"
import { type Client, connect, type Session, type SessionEvent } from "../../src/client/client.ts"
import { guest, type ServerProcess, startProcess, tempDir } from "../support/process.ts"
import { type PacedUpstream, pacedUpstream } from "../support/upstream.ts"

const skill = "c0110c0000000000000000000000c4a7"
const assistant = "c0110c00000000000000000000000d0c"

class Ground extends Context.Tag("test/Ground")<
  Ground,
  { readonly server: ServerProcess; readonly upstream: PacedUpstream }
>() {
  static readonly Live = Layer.scoped(
    Ground,
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ tokens: 20, delay: 5 })
      const server = yield* startProcess({
        DATA_DIR: yield* tempDir,
        OPENAI_BASE_URL: upstream.url,
        OPENAI_MODEL: "paced"
      })
      return { server, upstream }
    }).pipe(Effect.orDie)
  )
}

/** A client of a fresh guest, and the sockets it has opened. */
const join = Effect.gen(function* () {
  const { server } = yield* Ground
  const token = yield* guest(server)
  const sockets: Array<WebSocket> = []
  class Watched extends WebSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
  }
  const backoff = { baseMs: 20, capMs: 200 }
  const client = yield* Effect.acquireRelease(
    Effect.sync((): Client => connect({ url: server.url, token, WebSocket: Watched, backoff })),
    (client) => Effect.sync(() => client.close())
  )
  return { client, sockets }
})

/** Everything that happens in a session until so many runs have closed. */
const untilClosed = async (
  session: Session,
  runs = 1,
  onEvent: (event: SessionEvent) => void = () => undefined
): Promise<ReadonlyArray<SessionEvent>> => {
  const seen: Array<SessionEvent> = []
  let closed = 0
  for await (const event of session.events()) {
    seen.push(event)
    onEvent(event)
    if (event.type === "run_closed") closed += 1
    if (closed === runs) break
  }
  return seen
}

const types = (events: ReadonlyArray<SessionEvent>) => events.map(({ type }) => type)
const said = (count: number) => Array.from({ length: count }, (_, i) => `w${i} `).join("")

layer(Ground.Live, { excludeTestServices: true, timeout: 30_000 })("the SDK and the server", (it) => {
  it.scoped("ask and answer, and the history has it", () =>
    Effect.gen(function* () {
      const { client } = yield* join
      const session = client.session({ flowId: assistant, chatId: "ask", history: true })
      yield* Effect.promise(async () => {
        const done = untilClosed(session)
        session.send('reasoning=3 tokens=5 tool=calculator:{"expression":"6*7"}')
        const events = await done
        expect(new Set(types(events))).toEqual(
          new Set([
            "sending",
            "queue",
            "connection",
            "opened",
            "history_loading",
            "history",
            "run_started",
            "reasoning",
            "tool_started",
            "tool_ended",
            "text",
            "answer",
            "run_closed"
          ])
        )
        const live = session.state.messages
        expect(live).toMatchObject([
          { role: "user", delivery: "sent" },
          { role: "assistant", status: "done", text: said(5), tools: [{ name: "calculator", output: "42" }] }
        ])
        await session.reload()
        const strip = ({ createdAt: _, steps: _steps, ...rest }: Record<string, unknown>) => rest
        expect(session.state.messages.map((message) => strip({ ...message }))).toEqual(
          live.map((message) => strip({ ...message }))
        )
      })
    })
  )

  it.scoped("lose nothing and repeat nothing when the socket is cut again and again", () =>
    Effect.gen(function* () {
      const { client, sockets } = yield* join
      const session = client.session({ flowId: skill, chatId: "cut" })
      yield* Effect.promise(async () => {
        let pieces = 0
        const done = untilClosed(session, 1, (event) => {
          if (event.type === "text" && ++pieces % 20 === 0) sockets.at(-1)?.terminate()
        })
        session.send("tokens=150 delay=5")
        const events = await done
        const text = events.map((event) => (event.type === "text" ? event.text : "")).join("")
        expect(text).toBe(said(150))
        expect(sockets.length).toBeGreaterThan(3)
        expect(events.filter(({ type }) => type === "run_started")).toHaveLength(1)
        expect(events.filter((event) => event.type === "opened" && event.recovered)).toHaveLength(
          sockets.length - 1
        )
      })
    })
  )

  it.scoped("answer a question once, however often it had to be said", () =>
    Effect.gen(function* () {
      const { client, sockets } = yield* join
      const session = client.session({ flowId: skill, chatId: "once" })
      yield* Effect.promise(async () => {
        const events = session.events()
        for (;;) {
          const { value } = await events.next()
          if (value?.type === "opened") break
        }
        const done = untilClosed(session)
        session.send("tokens=5")
        // It is on its way; whether it arrived, the client cannot know.
        sockets.at(-1)?.terminate()
        await done
        const { messages } = await session.history()
        expect(messages.map(({ category }) => category)).toEqual(["answer", "question"])
      })
    })
  )

  it.scoped("stop, and keep what was said", () =>
    Effect.gen(function* () {
      const { upstream } = yield* Ground
      const { client } = yield* join
      const before = (yield* upstream.stats).closedByClient
      const session = client.session({ flowId: skill, chatId: "stop" })
      yield* Effect.promise(async () => {
        const done = untilClosed(session, 1, (event) => event.type === "text" && session.stop())
        session.send("tokens=500 delay=5")
        const events = await done
        expect(types(events).slice(-3)).toEqual(["partial", "stopped", "run_closed"])
        expect(session.state.messages[1]).toMatchObject({ status: "stopped" })
      })
      yield* upstream.statsWhen(({ closedByClient }) => closedByClient === before + 1)
    })
  )

  it.scoped("hold several chats on one socket, each with its own answers in order", () =>
    Effect.gen(function* () {
      const { client, sockets } = yield* join
      yield* Effect.promise(async () => {
        const sessions = [1, 2, 3].map((i) => client.session({ flowId: skill, chatId: `many-${i}` }))
        const done = sessions.map((session) => untilClosed(session, 2))
        for (const session of sessions) {
          session.send(`tokens=10 first of ${session.chatId}`)
          session.send(`tokens=10 second of ${session.chatId}`)
        }
        await Promise.all(done)
        for (const session of sessions) {
          expect(session.state.messages.map(({ text }) => text)).toEqual([
            `tokens=10 first of ${session.chatId}`,
            said(10),
            `tokens=10 second of ${session.chatId}`,
            said(10)
          ])
        }
        expect(sockets).toHaveLength(1)
      })
    })
  )

  it.scoped("say which question was refused, and why", () =>
    Effect.gen(function* () {
      const { client } = yield* join
      const session = client.session({ flowId: skill, chatId: "busy" })
      yield* Effect.promise(async () => {
        const events = session.events()
        session.send("tokens=200 delay=5")
        for (;;) {
          const { value } = await events.next()
          if (value?.type === "text") break
        }
        const refused = session.send("now", { onBusy: "reject" })
        for (;;) {
          const { value } = await events.next()
          if (value?.type !== "failed") continue
          expect(value).toMatchObject({ runId: null, clientMsgId: refused, error: { code: 13011 } })
          break
        }
        session.stop()
      })
    })
  )

  it.scoped("part for good where there is no such app", () =>
    Effect.gen(function* () {
      const { client } = yield* join
      const session = client.session({ flowId: "0".repeat(32), chatId: "nowhere" })
      yield* Effect.promise(async () => {
        for await (const event of session.events()) {
          if (event.type === "connection" && event.state.status === "refused") {
            expect(event.state.code).toBe(4404)
            break
          }
        }
      })
    })
  )
})

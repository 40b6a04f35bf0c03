/** Where the process is busy an answer is read once in a window; nothing of it is lost, and a stop does not wait. */
import * as Http from "node:http"
import * as Https from "node:https"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { thriftyAgent } from "../../src/model/OpenAi/connections.ts"
import { exchange } from "../../src/model/OpenAi/exchange.ts"
import { Pace, type PaceService } from "../../src/Pace.ts"

/** Ends when it is told to. */
class Window implements PaceService {
  private waiting: Array<() => void> = []
  private readonly millis: number
  constructor(millis: number) {
    this.millis = millis
  }
  readonly window = () => this.millis
  readonly wait = (then: () => void) => {
    this.waiting.push(then)
  }
  get waits() {
    return this.waiting.length
  }
  end() {
    for (const then of this.waiting.splice(0)) then()
  }
}

/** Both sides know a key, in the place of a certificate. */
const key = Buffer.from("0123456789abcdef")
const suite = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const

/** How long a free connection is kept. */
const keptMillis = 1000

/** Answers with what it is told to say. */
class Server {
  private readonly secure: boolean
  readonly server: Http.Server
  private response: Http.ServerResponse | null = null
  private readonly agent: Http.Agent
  connections = 0
  closed = 0
  readonly heard: Array<string> = []

  constructor(secure: boolean) {
    const onRequest = (request: Http.IncomingMessage, response: Http.ServerResponse) => {
      if (request.method === "GET") {
        response.end()
        return
      }
      response.writeHead(200, { "content-type": "text/event-stream" })
      this.response = response
    }
    this.secure = secure
    this.server = secure
      ? Https.createServer({ ...suite, pskCallback: () => key }, onRequest)
      : Http.createServer(onRequest)
    this.server.on(secure ? "secureConnection" : "connection", (socket) => {
      this.connections += 1
      socket.once("close", () => {
        this.closed += 1
      })
    })
    this.agent = thriftyAgent(secure, this.client({ keepAlive: true, timeout: keptMillis }))
  }

  /** How long Node waits before it says that nothing happens on the connections in use; 0: it does not look. */
  get timeouts(): ReadonlyArray<number | undefined> {
    return Object.values(this.agent.sockets).flatMap(
      (sockets) => sockets?.map(({ timeout }) => timeout) ?? []
    )
  }

  private client(options: Http.AgentOptions): Http.AgentOptions {
    const psk = { ...suite, pskCallback: () => ({ psk: key, identity: "test" }) }
    return this.secure ? Object.assign(options, psk, { checkServerIdentity: () => undefined }) : options
  }

  private get url() {
    const address = this.server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return new URL(`${this.secure ? "https" : "http"}://127.0.0.1:${port}/`)
  }

  say(...tokens: ReadonlyArray<string>): void {
    for (const content of tokens) {
      this.response?.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
    }
  }

  finish(): void {
    this.response?.end(
      `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`
    )
  }

  /** Whatever was sent on another connection before has arrived. */
  readonly roundTrip = Effect.async<void>((resume) => {
    const options = this.client({})
    const agent = this.secure ? new Https.Agent(options) : new Http.Agent(options)
    ;(this.secure ? Https : Http)
      .request(this.url, { agent }, (response) => {
        response.resume().once("end", () => resume(Effect.void))
      })
      .end()
  })

  ask(pace: PaceService) {
    this.response = null
    this.heard.length = 0
    return exchange({
      url: this.url,
      headers: {},
      body: "{}",
      agent: this.agent,
      sink: { text: (text) => this.heard.push(text), reasoning: () => undefined },
      firstByteMillis: 20_000,
      chunkMillis: 20_000
    }).pipe(
      Effect.map(({ text }) => text),
      Effect.provideService(Pace, pace),
      Effect.fork,
      Effect.tap(() => until(() => this.response !== null))
    )
  }

  end(): void {
    this.agent.destroy()
    this.server.close()
    this.server.closeAllConnections()
  }
}

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(Effect.repeat({ until: (it) => it, schedule: Schedule.spaced("1 millis") }))

const serverOf = (secure: boolean) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = new Server(secure)
      server.server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.end())
  )

describe.each([
  ["http", false],
  ["https", true]
])("an answer over %s", (_, secure) => {
  it.scopedLive("is read at once in the beginning, and then once in a window", () =>
    Effect.gen(function* () {
      const server = yield* serverOf(secure)
      const window = new Window(10)
      const answer = yield* server.ask(window)
      server.say("one ")
      yield* until(() => server.heard.length === 1)
      yield* until(() => window.waits === 1)
      for (const word of ["two ", "three ", "four "]) {
        server.say(word)
        yield* server.roundTrip
      }
      expect(server.heard).toEqual(["one "])
      window.end()
      yield* until(() => server.heard.join("") === "one two three four ")
      expect(window.waits).toBe(1)
      server.finish()
      yield* server.roundTrip
      window.end()
      expect(yield* Fiber.join(answer)).toBe("one two three four ")
    })
  )

  it.scopedLive("is stopped while nobody reads it", () =>
    Effect.gen(function* () {
      const server = yield* serverOf(secure)
      const window = new Window(10)
      const answer = yield* server.ask(window)
      server.say("one ")
      yield* until(() => window.waits === 1)
      yield* Fiber.interrupt(answer)
      yield* until(() => server.closed === 1)
      window.end()
      expect(server.heard).toEqual(["one "])
    })
  )

  it.scopedLive("leaves its connection awake to the next one", () =>
    Effect.gen(function* () {
      const server = yield* serverOf(secure)
      const window = new Window(10)
      for (const word of ["first", "second", "third"]) {
        const answer = yield* server.ask(window)
        server.say(word)
        yield* until(() => server.heard.length === 1)
        yield* until(() => window.waits === 1)
        server.finish()
        window.end()
        expect(yield* Fiber.join(answer)).toBe(word)
        expect(window.waits).toBe(0)
      }
      expect(server.connections).toBe(1)
    })
  )

  it.scopedLive(
    "leaves a connection that is closed when nobody has used it for a while, and not before",
    () =>
      Effect.gen(function* () {
        const server = yield* serverOf(secure)
        const window = new Window(0)
        for (const word of ["first", "second"]) {
          const answer = yield* server.ask(window)
          server.say(word)
          yield* until(() => server.heard.length === 1)
          expect(server.timeouts.map((millis) => millis ?? 0)).toEqual([0])
          server.finish()
          expect(yield* Fiber.join(answer)).toBe(word)
        }
        expect([server.connections, server.closed]).toEqual([1, 0])
        yield* until(() => server.closed === 1)
      })
  )

  it.scopedLive("is read as it comes by a process at leisure", () =>
    Effect.gen(function* () {
      const server = yield* serverOf(secure)
      const window = new Window(0)
      const answer = yield* server.ask(window)
      for (const word of ["one ", "two "]) {
        server.say(word)
        yield* until(() => server.heard.at(-1) === word)
      }
      server.finish()
      expect(yield* Fiber.join(answer)).toBe("one two ")
      expect(window.waits).toBe(0)
    })
  )
})

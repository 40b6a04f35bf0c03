import { connect, createServer, type Socket } from "node:net"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { proxy, type Target } from "./proxy.ts"

/** Greets with its name, then says back what it hears. */
const echoServer = (name: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly target: Target; readonly close: () => void }>((resume) => {
        const sockets = new Set<Socket>()
        const server = createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => socket.destroy())
          socket.write(`${name}\n`)
          socket.pipe(socket)
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          const close = () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
          resume(Effect.succeed({ target: { host: "127.0.0.1", port }, close }))
        })
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ target, close }) => ({ target, close: Effect.sync(close) })
  )

interface Line {
  readonly say: (text: string) => Effect.Effect<void>
  readonly heard: () => string
  readonly until: (test: (heard: string) => boolean) => Effect.Effect<void>
  /** How it ended: the error's code, or "end". */
  readonly ended: Effect.Effect<string>
}

const dial = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = connect(port, "127.0.0.1")
      let heard = ""
      let end: string | null = null
      socket.on("data", (chunk) => {
        heard += chunk.toString()
      })
      socket.on("error", (error: NodeJS.ErrnoException) => {
        end = error.code ?? error.message
      })
      socket.on("close", () => {
        end ??= "end"
      })
      const wait = (test: () => boolean) =>
        Effect.suspend(() => (test() ? Effect.void : Effect.fail("not yet"))).pipe(
          Effect.retry(Schedule.intersect(Schedule.spaced("2 millis"), Schedule.recurs(2_500))),
          Effect.orDie
        )
      const line: Line = {
        say: (text) => Effect.sync(() => socket.write(text)),
        heard: () => heard,
        until: (test) => wait(() => test(heard)),
        ended: Effect.map(
          wait(() => end !== null),
          () => end ?? ""
        )
      }
      return { line, socket }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  ).pipe(Effect.map(({ line }) => line))

it.scopedLive("spreads connections over its targets in turn, and passes over one that refuses", () =>
  Effect.gen(function* () {
    const a = yield* echoServer("a")
    const b = yield* echoServer("b")
    const front = yield* proxy([a.target, b.target])
    const names = Effect.replicateEffect(
      Effect.gen(function* () {
        const line = yield* dial(front.port)
        yield* line.until((heard) => heard.endsWith("\n"))
        return line.heard().trim()
      }),
      4
    )
    expect(yield* names).toEqual(["a", "b", "a", "b"])
    yield* a.close
    expect(yield* names).toEqual(["b", "b", "b", "b"])
    yield* b.close
    const refused = yield* dial(front.port)
    expect(yield* refused.ended).toBe("ECONNRESET")
  })
)

it.scopedLive("cuts all connections, or a share of them, and takes new ones", () =>
  Effect.gen(function* () {
    const { target } = yield* echoServer("a")
    const front = yield* proxy([target])
    const lines = yield* Effect.replicateEffect(dial(front.port), 4)
    for (const line of lines) yield* line.until((heard) => heard === "a\n")
    const draws = [0.1, 0.9, 0.2, 0.8]
    expect(yield* front.cutSome(() => draws.shift() ?? 1, 0.5)).toBe(2)
    const [first, second, third, fourth] = lines
    expect([yield* first?.ended ?? Effect.void, yield* third?.ended ?? Effect.void]).toEqual([
      "ECONNRESET",
      "ECONNRESET"
    ])
    for (const line of [second, fourth]) {
      yield* line?.say("still here") ?? Effect.void
      yield* line?.until((heard) => heard === "a\nstill here") ?? Effect.void
    }
    expect(yield* front.cutAll).toBe(2)
    const again = yield* dial(front.port)
    yield* again.until((heard) => heard === "a\n")
    expect(front.connections()).toBe(1)
  })
)

it.scopedLive("holds every byte while it is stalled, and loses none", () =>
  Effect.gen(function* () {
    const { target } = yield* echoServer("a")
    const front = yield* proxy([target])
    const line = yield* dial(front.port)
    yield* line.until((heard) => heard === "a\n")
    yield* front.stall
    yield* line.say("one")
    const late = yield* dial(front.port)
    yield* Effect.raceFirst(
      Effect.zipRight(
        line.until((heard) => heard !== "a\n"),
        Effect.die("a byte came through")
      ),
      Effect.sleep("200 millis")
    )
    expect(late.heard()).toBe("")
    yield* front.unstall
    yield* line.until((heard) => heard === "a\none")
    yield* late.until((heard) => heard === "a\n")
  })
)

it.scopedLive("lets through so many bytes a second, all of them in the end", () =>
  Effect.gen(function* () {
    const { target } = yield* echoServer("a")
    const front = yield* proxy([target])
    const line = yield* dial(front.port)
    yield* line.until((heard) => heard === "a\n")
    yield* front.throttle(100_000)
    const began = performance.now()
    yield* line.say("x".repeat(20_000))
    yield* line.until((heard) => heard.length === 20_002)
    yield* line.say("y")
    yield* line.until((heard) => heard.endsWith("y"))
    // What follows 20,000 bytes has to wait for them.
    expect(performance.now() - began).toBeGreaterThan(150)
    yield* front.throttle(null)
    yield* line.say("z".repeat(1_000_000))
    yield* line.until((heard) => heard.length === 1_020_003)
  })
)

it.scopedLive("sends new connections elsewhere, or refuses them, and leaves the others alone", () =>
  Effect.gen(function* () {
    const a = yield* echoServer("a")
    const b = yield* echoServer("b")
    const front = yield* proxy([a.target])
    const old = yield* dial(front.port)
    yield* old.until((heard) => heard === "a\n")
    yield* front.switchTo([b.target])
    const fresh = yield* dial(front.port)
    yield* fresh.until((heard) => heard === "b\n")
    yield* front.refuse(true)
    expect(yield* (yield* dial(front.port)).ended).toBe("ECONNRESET")
    yield* old.say("on")
    yield* old.until((heard) => heard === "a\non")
  })
)

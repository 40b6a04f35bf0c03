/** A body is the same however its bytes come, whether Node's parser or ours reads it. */
import { createServer, type Server, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "fast-check"
import { Chunks } from "../../src/model/OpenAi/Chunks.ts"
import { thriftyAgent } from "../../src/model/OpenAi/connections.ts"
import { exchange } from "../../src/model/OpenAi/exchange.ts"

const chunk = (content: Buffer, extension = ""): Buffer =>
  Buffer.concat([Buffer.from(`${content.length.toString(16)}${extension}\r\n`), content, Buffer.from("\r\n")])

const cutAt = (whole: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const marks = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b)
  return [...marks, whole.length].map((to, i) => whole.subarray(i === 0 ? 0 : (marks[i - 1] ?? 0), to))
}

/** What the chunks hold, and what is left to be read by somebody else. */
const readAll = (parts: ReadonlyArray<Buffer>) => {
  const chunks = new Chunks()
  const content: Array<Buffer> = []
  for (const [i, part] of parts.entries()) {
    const end = chunks.read(part, 0, part.length, (bytes, from, to) =>
      content.push(Buffer.from(bytes.subarray(from, to)))
    )
    if (end < part.length) {
      const rest = [Buffer.from(chunks.begun, "latin1"), part.subarray(end), ...parts.slice(i + 1)]
      return { content: Buffer.concat(content), rest: Buffer.concat(rest).toString("latin1") }
    }
  }
  return { content: Buffer.concat(content), rest: chunks.begun }
}

const contents = FastCheck.array(
  FastCheck.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 6 }
)
const cuts = FastCheck.array(FastCheck.nat(), { maxLength: 20 })
const extensions = FastCheck.constantFrom("", ";a=b", " ; x", "\t")

describe("chunks", () => {
  it("hold what they hold, wherever the bytes are cut, up to the last one", () => {
    FastCheck.assert(
      FastCheck.property(contents, extensions, cuts, (pieces, extension, where) => {
        const last = "0\r\nSome: trailer\r\n\r\nHTTP/1.1 200 OK\r\n"
        const body = Buffer.concat([...pieces.map((piece) => chunk(piece, extension)), Buffer.from(last)])
        expect(readAll(cutAt(body, where))).toEqual({ content: Buffer.concat(pieces), rest: last })
      }),
      { numRuns: 500 }
    )
  })

  it("end where something is no chunk", () => {
    for (const rest of ["xyz\r\n", "-1\r\n", "\r\n", " 5\r\n", "fffffffff\r\n", `5;${"e".repeat(3_000)}`]) {
      for (const where of [[], [4], [5], [6], [8]]) {
        const body = Buffer.concat([chunk(Buffer.from("a")), Buffer.from(rest)])
        const read = readAll(cutAt(body, where))
        expect(read.content.toString()).toBe("a")
        expect(read.rest).toBe(rest)
      }
    }
  })
})

const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const token = (content: string): string => event({ choices: [{ index: 0, delta: { content } }] })
const finish = `${event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}data: [DONE]\n\n`
const words = ["Grüße, ", "日本 ", '"quoted" ', "😀 ", "end"]
const body = [...words.map(token), finish].map((text) => chunk(Buffer.from(text)))
const lastChunk = Buffer.from("0\r\n\r\n")

/** Sends each of these in a segment of its own, to every request; ends the connection where it is told to. */
const startServer = (segmentsOf: (request: number) => ReadonlyArray<Buffer>, ends: boolean) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: Server; readonly port: number; readonly connections: () => number }>(
      (resume) => {
        let requests = 0
        let connections = 0
        const say = (socket: Socket, segments: ReadonlyArray<Buffer>): void => {
          const [first, ...others] = segments
          if (first === undefined) {
            if (ends) socket.destroySoon()
            return
          }
          socket.write(first, () => setImmediate(() => say(socket, others)))
        }
        const server = createServer({ noDelay: true }, (socket) => {
          connections += 1
          socket.on("error", () => undefined)
          socket.on("data", (bytes) => {
            if (bytes.includes("POST ")) say(socket, segmentsOf(requests++))
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed({ server, port, connections: () => connections }))
        })
      }
    ),
    ({ server }) => Effect.sync(() => server.close())
  )

const agentOf = Effect.acquireRelease(
  Effect.sync(() => thriftyAgent(false, { keepAlive: true })),
  (agent) => Effect.sync(() => agent.destroy())
)

const askAt = (port: number, agent: ReturnType<typeof thriftyAgent>) => {
  const heard: Array<string> = []
  return exchange({
    url: new URL(`http://127.0.0.1:${port}/`),
    headers: {},
    body: "{}",
    agent,
    sink: { text: (text) => heard.push(text), reasoning: () => undefined },
    firstByteMillis: 20_000,
    chunkMillis: 20_000
  }).pipe(
    Effect.map(({ text }) => text),
    Effect.either,
    Effect.map((answer) => ({ answer, heard: heard.join("") }))
  )
}

/** Segments that begin with the head alone, so that the rest is taken before Node's parser sees it. */
const taken = (rest: Buffer, where: ReadonlyArray<number>) => [Buffer.from(head), ...cutAt(rest, where)]

describe("an answer in chunks", () => {
  it.scopedLive("is whole wherever it is cut, and leaves its connection to others", () =>
    Effect.gen(function* () {
      const whole = Buffer.concat([...body, lastChunk])
      const ways = [
        ...Array.from({ length: whole.length }, (_, at) => taken(whole, [at])),
        [Buffer.concat([Buffer.from(head), whole])],
        cutAt(Buffer.concat([Buffer.from(head), whole]), [20, 120, 300]),
        [Buffer.concat([Buffer.from(head), whole.subarray(0, 30)]), ...cutAt(whole.subarray(30), [100, 200])],
        [Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"), ...taken(whole, [])]
      ]
      const server = yield* startServer((request) => ways[request] ?? [], false)
      const agent = yield* agentOf
      for (const _ of ways) {
        const { answer, heard } = yield* askAt(server.port, agent)
        expect(answer).toEqual(Either.right(words.join("")))
        expect(heard).toBe(words.join(""))
      }
      // An answer is known to be whole before its connection is free: the next question may need another one.
      expect(server.connections()).toBeLessThanOrEqual(2)
    })
  )

  it.scopedLive("that is cut off, or goes on as something else, fails with what came of it", () =>
    Effect.gen(function* () {
      const [first = Buffer.of(), second = Buffer.of()] = body
      const ways = [
        [Buffer.from(head), first],
        [Buffer.from(head), first, second.subarray(0, 20)],
        [Buffer.from(head), first, Buffer.from("4")],
        [Buffer.from(head), first, Buffer.from("not a chunk\r\n")],
        [Buffer.from(head), first, lastChunk]
      ]
      const server = yield* startServer((request) => ways[request] ?? [], true)
      const agent = yield* agentOf
      for (const _ of ways) {
        const { answer, heard } = yield* askAt(server.port, agent)
        expect(Either.isLeft(answer) && answer.left._tag).toBe("Cut")
        expect(heard).toBe(words[0])
      }
    })
  )
})

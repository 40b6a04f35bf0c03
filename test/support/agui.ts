/** An AG-UI agent for tests: a real server on 127.0.0.1 that plays what a test scripts, gone with the scope. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What the agent was sent. */
const Input = Schema.parseJson(
  Schema.Struct({
    threadId: Schema.String,
    runId: Schema.String,
    messages: Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
    tools: Schema.Array(Schema.Unknown),
    context: Schema.Array(Schema.Unknown),
    state: Schema.Unknown,
    forwardedProps: Schema.Unknown
  })
)

export interface Heard {
  readonly input: typeof Input.Type
  readonly headers: IncomingMessage["headers"]
}

export interface Agent {
  readonly url: string
  /** As WEB_HOSTS lists it. */
  readonly host: string
  readonly heard: ReadonlyArray<Heard>
  /** Done as soon as a client has closed a socket before its answer ended. */
  readonly left: Effect.Effect<void>
}

/** One piece of the answer: an event, a raw line, or what happens to the line. */
export type Piece = object | string | typeof cut | typeof hold

/** The socket is destroyed. */
export const cut = Symbol("cut")
/** The answer stays open and says no more. */
export const hold = Symbol("hold")

export const plays =
  (...pieces: ReadonlyArray<Piece>) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    for (const piece of pieces) {
      if (piece === hold) return
      if (piece === cut) {
        // Not before what was said has left.
        response.write(": end\n\n", () => response.destroy())
        return
      }
      response.write(typeof piece === "string" ? piece : `data: ${JSON.stringify(piece)}\n\n`)
    }
    response.end()
  }

export const refuses =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers)
    response.end(body)
  }

/** The simplest agent that says this. */
export const saying = (text: string) =>
  plays(
    { type: "RUN_STARTED", threadId: "t", runId: "r" },
    { type: "TEXT_MESSAGE_START", messageId: "m1", role: "assistant" },
    { type: "TEXT_MESSAGE_CONTENT", messageId: "m1", delta: text },
    { type: "TEXT_MESSAGE_END", messageId: "m1" },
    { type: "RUN_FINISHED", threadId: "t", runId: "r" }
  )

export const agUiAgent = (answer: (response: ServerResponse) => void) =>
  Effect.gen(function* () {
    const heard: Array<Heard> = []
    const left = yield* Deferred.make<void>()
    const server = createServer((request, response) => {
      let body = ""
      request.setEncoding("utf8")
      request.on("data", (chunk: string) => {
        body += chunk
      })
      request.on("end", () => {
        heard.push({ input: Schema.decodeUnknownSync(Input)(body), headers: request.headers })
        answer(response)
      })
      response.on("close", () => {
        if (!response.writableEnded) Deferred.unsafeDone(left, Effect.void)
      })
    })
    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const agent: Agent = {
      url: `http://127.0.0.1:${port}/agent`,
      host: `127.0.0.1:${port}`,
      heard,
      left: Deferred.await(left)
    }
    return agent
  })

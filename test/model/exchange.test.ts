/** What servers other than the real one send: raw bytes from a scripted server on a real socket. */
import { createServer, type Server } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { LanguageModel } from "../../src/model/LanguageModel.ts"
import * as OpenAi from "../../src/model/OpenAi.ts"

interface Scripted {
  readonly type?: string
  readonly body: string
  /** Keeps the connection open after the body. */
  readonly open?: boolean
}

const closed = (server: Server) =>
  Effect.async<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

/** Answers every request with these bytes. */
const scripted = ({ type = "text/event-stream", body, open = false }: Scripted) =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createServer((request, response) => {
          request.resume()
          response.writeHead(200, { "content-type": type })
          response.write(body)
          if (!open) response.end()
        })
      ),
      closed
    )
    const address = yield* Effect.async<ReturnType<Server["address"]>>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server.address())))
    })
    const port = typeof address === "object" && address !== null ? address.port : 0
    const layer = OpenAi.layer({
      baseUrl: `http://127.0.0.1:${port}/v1`,
      apiKey: Option.none(),
      model: "m",
      retries: 0,
      chunkTimeout: "150 millis"
    })
    const model = yield* Effect.map(Layer.build(layer), Context.get(LanguageModel))
    const text: Array<string> = []
    const answer = model.generate(
      {
        model: null,
        temperature: null,
        messages: [{ role: "user", content: "hi" }],
        tools: [],
        scope: { flowId: "", userId: 1 }
      },
      { text: (delta) => text.push(delta), reasoning: () => undefined }
    )
    return { text, answer }
  })

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const token = (content: string, finish: string | null = null) =>
  event({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })

const failing = (script: Scripted) =>
  Effect.scoped(Effect.flatMap(scripted(script), ({ answer }) => Effect.flip(answer)))

describe("an answer is whole", () => {
  it.scopedLive("when it comes in one piece of JSON, as from a server that does not stream", () =>
    Effect.gen(function* () {
      const { answer, text } = yield* scripted({
        type: "application/json; charset=utf-8",
        body: JSON.stringify({
          choices: [{ index: 0, message: { role: "assistant", content: "whole" }, finish_reason: "stop" }],
          usage: { prompt_tokens: 1, completion_tokens: 2 }
        })
      })
      expect(yield* answer).toMatchObject({ text: "whole", usage: { promptTokens: 1, completionTokens: 2 } })
      expect(text).toEqual(["whole"])
    })
  )

  it.scopedLive("with a finish reason and no [DONE], and with [DONE] and no finish reason", () =>
    Effect.gen(function* () {
      const finished = yield* scripted({ body: token("a", "length") })
      expect(yield* finished.answer).toMatchObject({ text: "a", finishReason: "length" })
      const done = yield* scripted({ body: `${token("b")}data: [DONE]` })
      expect(yield* done.answer).toMatchObject({ text: "b", finishReason: "stop" })
    })
  )

  it.scopedLive("even if the server then keeps the connection open", () =>
    Effect.gen(function* () {
      const finished = yield* scripted({ body: token("a", "stop"), open: true })
      expect((yield* finished.answer).text).toBe("a")
      const done = yield* scripted({ body: `${token("b", "stop")}data: [DONE]\n\n`, open: true })
      expect((yield* done.answer).text).toBe("b")
    })
  )
})

describe("an answer is not whole", () => {
  it.live("when the body ends without finish reason and [DONE]", () =>
    Effect.gen(function* () {
      expect((yield* failing({ body: token("half") })).kind).toBe("cut")
      expect((yield* failing({ body: "" })).kind).toBe("cut")
    })
  )

  it.live("when the server reports an error in its stream, which is quoted short", () =>
    Effect.gen(function* () {
      const body = token("half") + event({ error: { message: `no more memory ${"x".repeat(2_000)}` } })
      const error = yield* failing({ body })
      expect(error.kind).toBe("refused")
      expect(error.reason).toContain("no more memory")
      expect(error.reason.length).toBeLessThan(400)
    })
  )

  it.live("when it is not JSON, JSON of something else, or a page", () =>
    Effect.gen(function* () {
      expect((yield* failing({ body: "data: {oops\n\n" })).kind).toBe("malformed")
      expect((yield* failing({ type: "application/json", body: "{}" })).kind).toBe("malformed")
      expect((yield* failing({ type: "application/json", body: "oops" })).kind).toBe("malformed")
      const page = yield* failing({ type: "text/html", body: "<h1>Welcome</h1>" })
      expect(page.kind).toBe("malformed")
      expect(page.reason).toContain("a web page instead of an answer. Check OPENAI_BASE_URL")
    })
  )

  it.live("when it is too long: one event above 1 MiB, or 4 MiB of text", () =>
    Effect.gen(function* () {
      const event = yield* failing({ body: `data: ${"x".repeat(1_100_000)}`, open: true })
      expect([event.kind, event.reason]).toEqual(["malformed", "The model server sent an event above 1 MiB."])
      const text = yield* failing({ body: token("x".repeat(500_000)).repeat(9), open: true })
      expect([text.kind, text.reason]).toEqual(["malformed", "The model server sent an answer above 4 MiB."])
    })
  )
})

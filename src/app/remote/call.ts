/** The leaf under `eventStream`: a request, its callbacks, and what of its answer has not been asked for yet. */
import * as Http from "node:http"
import * as Https from "node:https"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { sseReader } from "../../model/OpenAi/Sse.ts"
import type { Trouble } from "./words.ts"

export interface Post {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly agent: Http.Agent
}

export interface Call {
  /** The service has begun to answer, and with events. */
  readonly head: Effect.Effect<void, Trouble>
  /** null: the answer has ended. */
  readonly next: Effect.Effect<ReadonlyArray<string> | null, Trouble>
}

const maxEventChars = 1024 * 1024
const maxBytes = 32 * 1024 * 1024
const maxErrorBytes = 16 * 1024
/** With this much waiting to be asked for, the socket is left alone. */
const enoughChars = 256 * 1024

/** Closed with the scope. */
export const openCall = (post: Post): Effect.Effect<Call, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => begin(post)),
      ({ request }) => Effect.sync(() => request.destroy())
    ),
    ({ call }) => call
  )

const begin = (post: Post): { readonly call: Call; readonly request: Http.ClientRequest } => {
  let wake = (): void => undefined
  let events: Array<string> = []
  let waitingChars = 0
  let answer: Http.IncomingMessage | null = null
  let end: Trouble | "ended" | null = null

  const finish = (how: Trouble | "ended"): void => {
    if (end !== null) return
    end = how
    if (how !== "ended") request.destroy()
    wake()
  }
  const request = (post.url.protocol === "https:" ? Https : Http).request(post.url, {
    method: "POST",
    headers: { ...post.headers, "content-length": Buffer.byteLength(post.body) },
    agent: post.agent
  })
  // Stays for good: a destroyed request may report an error once more, and nobody would catch it.
  request.on("error", (cause) => finish(answer === null ? { _tag: "Connection", cause } : { _tag: "Cut" }))
  request.on("response", (response) => {
    const broken = (): void => finish({ _tag: "Cut" })
    response.on("error", broken)
    response.on("close", broken)
    const status = response.statusCode ?? 0
    if (status < 200 || status > 299) return refused(response, status, finish)
    const type = response.headers["content-type"] ?? ""
    if (!type.toLowerCase().includes("text/event-stream")) {
      return finish({ _tag: "Malformed", what: `${typed(type)} instead of events. Check the app's url` })
    }
    const reader = sseReader((data) => {
      events.push(data)
      waitingChars += data.length
    }, maxEventChars)
    let bytes = 0
    response.on("data", (chunk: Buffer) => {
      // Given up on: what was read already still arrives.
      if (end !== null) return
      bytes += chunk.byteLength
      if (bytes > maxBytes) return finish({ _tag: "Malformed", what: "an answer above 32 MiB" })
      if (!reader.feed(chunk)) return finish({ _tag: "Malformed", what: "an event above 1 MiB" })
      if (waitingChars > enoughChars) response.pause()
      if (events.length > 0) wake()
    })
    response.on("end", () => {
      if (end !== null) return
      const rest = reader.end()
      if (rest !== null) events.push(rest)
      finish("ended")
    })
    answer = response
    wake()
  })
  request.end(post.body)

  /** Until something has changed. */
  const changed = Effect.async<void>((resume) => {
    wake = () => resume(Effect.void)
    return Effect.sync(() => {
      wake = () => undefined
    })
  })
  const head: Call["head"] = Effect.suspend(() => {
    if (end !== null && end !== "ended") return Effect.fail(end)
    return answer === null ? Effect.zipRight(changed, head) : Effect.void
  })
  const next: Call["next"] = Effect.suspend(() => {
    if (events.length > 0) {
      const taken = events
      events = []
      waitingChars = 0
      answer?.resume()
      return Effect.succeed(taken)
    }
    if (end === "ended") return Effect.succeed(null)
    return end === null ? Effect.zipRight(changed, next) : Effect.fail(end)
  })
  return { call: { head, next }, request }
}

const typed = (type: string): string => (type === "" ? "something" : `"${type.slice(0, 60)}"`)

/** What it says in its refusal, as far as anybody will read it. */
const refused = (response: Http.IncomingMessage, status: number, finish: (how: Trouble) => void): void => {
  const parts: Array<Uint8Array> = []
  let bytes = 0
  const done = (): void => finish({ _tag: "Status", status, body: Buffer.concat(parts).toString("utf8") })
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes > maxErrorBytes) done()
    else parts.push(chunk)
  })
  response.on("end", done)
}

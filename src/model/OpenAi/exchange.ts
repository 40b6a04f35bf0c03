/**
 * One HTTP request to the model's server, and its answer folded as it arrives.
 *
 * A leaf under Effect: body chunks go from the socket to the sink synchronously, with no fiber, stream or
 * promise between them (bench/model-client.ts compares this with the alternatives). Interrupting the effect
 * destroys the socket and nothing reaches the sink afterwards. The two time limits are timers of the socket.
 */
import * as Http from "node:http"
import * as Https from "node:https"
import * as Effect from "effect/Effect"
import { Pace, type PaceService } from "../../Pace.ts"
import type { TokenSink } from "../LanguageModel.ts"
import { Alike } from "./Alike.ts"
import { type Answer, type AnswerFold, answerFold, type Fault, field } from "./Answer.ts"
import { restingIn } from "./connections.ts"
import { sseReader } from "./Sse.ts"

export interface Exchange {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** One of `restingAgent`, or an answer that goes on is read more often than it has to be. */
  readonly agent: Http.Agent
  readonly sink: TokenSink
  /** Until the answer's first byte, connecting included. */
  readonly firstByteMillis: number
  /** Between any two chunks of the answer. */
  readonly chunkMillis: number
}

export type ExchangeFailure = { readonly untouched: boolean } & (
  | { readonly _tag: "Connection"; readonly cause: Error; readonly staleSocket: boolean }
  | { readonly _tag: "Timeout"; readonly waitingFor: "first byte" | "next chunk" }
  | {
      readonly _tag: "Status"
      readonly status: number
      readonly retryAfter: string | null
      readonly body: string
    }
  /** The connection ended before the answer did. */
  | { readonly _tag: "Cut" }
  | { readonly _tag: "Upstream"; readonly error: unknown }
  | { readonly _tag: "Malformed"; readonly what: string }
)

/** Text, reasoning and tool arguments of one answer together. */
const maxAnswerChars = 4 * 1024 * 1024
const maxEventChars = 1024 * 1024
/** An answer that comes in one piece of JSON spells some characters with six. */
const maxJsonBytes = 8 * 1024 * 1024
const maxErrorBytes = 16 * 1024
/** After the finish reason only the usage and the end mark can follow: a server that keeps them is not waited for. */
const lastWordsMillis = 3_000
/** A body that does not end after its end mark costs its socket. */
const drainMillis = 500

const header = (value: string | ReadonlyArray<string> | undefined): string | null =>
  typeof value === "string" ? value : (value?.[0] ?? null)

export const exchange = (options: Exchange): Effect.Effect<Answer, ExchangeFailure> =>
  Effect.flatMap(Pace, (pace) => exchanged(options, pace))

const exchanged = (options: Exchange, pace: PaceService): Effect.Effect<Answer, ExchangeFailure> =>
  Effect.async((resume) => {
    const fold = answerFold(options.sink, maxAnswerChars)
    let open = true
    let waitingFor: "first byte" | "next chunk" = "first byte"

    const settle = (outcome: Effect.Effect<Answer, ExchangeFailure>, keepSocket = false): void => {
      if (!open) return
      open = false
      clearTimeout(timer)
      if (!keepSocket) request.destroy()
      resume(outcome)
    }
    const fail = (failure: Failure): void => settle(Effect.fail({ ...failure, untouched: fold.untouched() }))
    const onTime = (): void => {
      const left = lastChunk + patience - performance.now()
      if (left >= 1) timer = setTimeout(onTime, left)
      else if (fold.finished()) settle(Effect.succeed(fold.answer()))
      else fail({ _tag: "Timeout", waitingFor })
    }

    // A chunk notes the time and leaves the timer alone, which looks at the time when it is due.
    let lastChunk = performance.now()
    let patience = options.firstByteMillis
    let timer = setTimeout(onTime, patience)
    const waitNoLongerThan = (millis: number): void => {
      clearTimeout(timer)
      lastChunk = performance.now()
      patience = millis
      timer = setTimeout(onTime, millis)
    }

    const secure = options.url.protocol === "https:"
    const request = (secure ? Https : Http).request(options.url, {
      method: "POST",
      headers: { ...options.headers, "content-length": Buffer.byteLength(options.body) },
      agent: options.agent
    })
    // Stays for good: a destroyed request may report an error once more, and nobody would catch it.
    request.on("error", (cause) =>
      fold.finished()
        ? settle(Effect.succeed(fold.answer()))
        : waitingFor === "next chunk"
          ? fail({ _tag: "Cut" })
          : fail({ _tag: "Connection", cause, staleSocket: request.reusedSocket })
    )
    request.on("response", (response) => {
      waitingFor = "next chunk"
      waitNoLongerThan(options.chunkMillis)
      const read = readerOf(response, fold)
      const goesOn = (): boolean => open && !fold.untouched() && !fold.finished()
      const rest = restingIn(pace, response.socket, goesOn)
      const onEnd = (ended: boolean): void => {
        if (!open) return
        const failure = read.end(ended)
        if (failure !== null) fail(failure)
        else settle(Effect.succeed(fold.answer()), ended)
      }
      response.on("data", (chunk: Uint8Array) => {
        if (!open) return
        const wasFinished = fold.finished()
        lastChunk = performance.now()
        let verdict: Verdict
        try {
          verdict = read.feed(chunk)
        } catch (defect) {
          settle(Effect.die(defect)) // the sink threw: not the server's doing
          return
        }
        if (verdict === "more") {
          if (!fold.finished()) rest()
          else if (!wasFinished) waitNoLongerThan(Math.min(lastWordsMillis, options.chunkMillis))
        } else if (verdict === "done") {
          settle(Effect.succeed(fold.answer()), true)
          if (!response.complete) drain(response, request)
        } else fail(verdict)
      })
      response.on("end", () => onEnd(true))
      response.on("error", () => onEnd(false))
      response.on("close", () => onEnd(false))
    })
    request.end(options.body)

    return Effect.sync(() => {
      open = false
      clearTimeout(timer)
      request.destroy()
    })
  })

type WithoutUntouched<F> = F extends unknown ? Omit<F, "untouched"> : never
type Failure = WithoutUntouched<ExchangeFailure>
type Verdict = "more" | "done" | Failure

interface BodyReader {
  readonly feed: (chunk: Uint8Array) => Verdict
  /** `ended` is false where the connection broke. null: the fold holds a whole answer. */
  readonly end: (ended: boolean) => Failure | null
}

const readerOf = (response: Http.IncomingMessage, fold: AnswerFold): BodyReader => {
  const status = response.statusCode ?? 0
  if (status < 200 || status > 299) {
    const body = collected(maxErrorBytes)
    return {
      // What is beyond the limit is of no use to anybody: enough was read to say what is wrong.
      feed: (chunk) => (body.add(chunk) ? "more" : failedWith(response, status, body.text())),
      end: () => failedWith(response, status, body.text())
    }
  }
  const type = header(response.headers["content-type"]) ?? ""
  if (type.includes("html")) return pageReader
  return type.includes("json") ? jsonReader(fold) : streamReader(fold)
}

/** What a wrong address often leads to. */
const aPage: Failure = {
  _tag: "Malformed",
  what: "a web page instead of an answer. Check OPENAI_BASE_URL: it often ends in /v1"
}
const pageReader: BodyReader = { feed: () => aPage, end: () => aPage }

const failedWith = (response: Http.IncomingMessage, status: number, body: string): Failure => ({
  _tag: "Status",
  status,
  retryAfter: header(response.headers["retry-after"]),
  body
})

/** The server sends its answer as events, as it was asked to. */
const streamReader = (fold: AnswerFold): BodyReader => {
  let verdict: Verdict = "more"
  const alike = new Alike()
  const onData = (data: string): void => {
    if (verdict !== "more") return
    if (data === "[DONE]") verdict = "done"
    else {
      const text = alike.textOf(data)
      verdict = (text === null ? accept(fold, data, alike) : failureOf(fold.acceptText(text))) ?? "more"
    }
  }
  const events = sseReader(onData, maxEventChars)
  return {
    feed: (chunk) => {
      const fits = events.feed(chunk)
      return fits || verdict !== "more" ? verdict : { _tag: "Malformed", what: "an event above 1 MiB" }
    },
    end: (ended) => {
      // The last event may lack its empty line; where the connection broke it may lack anything.
      const rest = events.end()
      if (ended && rest !== null && rest !== "[DONE]") accept(fold, rest)
      return fold.finished() || (ended && rest === "[DONE]") ? null : { _tag: "Cut" }
    }
  }
}

/** The server does not stream and sends one JSON value. */
const jsonReader = (fold: AnswerFold): BodyReader => {
  const body = collected(maxJsonBytes)
  return {
    feed: (chunk) => (body.add(chunk) ? "more" : { _tag: "Malformed", what: "an answer above 4 MiB" }),
    end: (ended) => {
      if (!ended) return { _tag: "Cut" }
      const failure = accept(fold, body.text())
      if (failure !== null) return failure
      return fold.finished() || !fold.untouched()
        ? null
        : { _tag: "Malformed", what: "JSON without an answer in it" }
    }
  }
}

const accept = (fold: AnswerFold, json: string, alike?: Alike): Failure | null => {
  let chunk: unknown
  try {
    chunk = JSON.parse(json)
  } catch {
    return { _tag: "Malformed", what: "something that is not JSON" }
  }
  if (field(chunk, "object") === "error") return { _tag: "Upstream", error: chunk }
  const failure = failureOf(fold.accept(chunk))
  if (failure === null) alike?.learn(json, chunk)
  return failure
}

const failureOf = (fault: Fault | null): Failure | null => {
  if (fault === null) return null
  return fault.fault === "upstream"
    ? { _tag: "Upstream", error: fault.error }
    : { _tag: "Malformed", what: "an answer above 4 MiB" }
}

const collected = (limit: number) => {
  const parts: Array<Uint8Array> = []
  let bytes = 0
  return {
    add: (chunk: Uint8Array): boolean => {
      bytes += chunk.byteLength
      if (bytes > limit) return false
      parts.push(chunk)
      return true
    },
    text: (): string => Buffer.concat(parts).toString("utf8")
  }
}

/** Lets the rest of a finished body pass, so that its connection can carry the next request. */
const drain = (response: Http.IncomingMessage, request: Http.ClientRequest): void => {
  const timer = setTimeout(() => request.destroy(), drainMillis)
  response.once("close", () => clearTimeout(timer))
}

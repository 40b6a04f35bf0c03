/** What a server's answer is made of: events, one piece of JSON, or words about why there is none. */
import type * as Http from "node:http"
import { Alike } from "./Alike.ts"
import { type AnswerFold, type Fault, field } from "./Answer.ts"
import { sseReader } from "./Sse.ts"

const maxEventChars = 1024 * 1024
/** An answer that comes in one piece of JSON spells some characters with six. */
const maxJsonBytes = 8 * 1024 * 1024
const maxErrorBytes = 16 * 1024

export type BodyFailure =
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

export type Verdict = "more" | "done" | BodyFailure

export interface BodyReader {
  /** The bytes from `from` to `to`, which may be others afterwards. Text may be kept, to be told with what follows. */
  readonly feed: (bytes: Buffer, from: number, to: number) => Verdict
  /** All that has come is fed: tells what was kept. */
  readonly flush: () => Verdict
  /** `ended` is false where the connection broke. null: the fold holds a whole answer. */
  readonly end: (ended: boolean) => BodyFailure | null
}

const header = (value: string | ReadonlyArray<string> | undefined): string | null =>
  typeof value === "string" ? value : (value?.[0] ?? null)

export const bodyReader = (response: Http.IncomingMessage, fold: AnswerFold): BodyReader => {
  const status = response.statusCode ?? 0
  if (status < 200 || status > 299) {
    const body = collected(maxErrorBytes)
    return {
      // What is beyond the limit is of no use to anybody: enough was read to say what is wrong.
      feed: (bytes, from, to) =>
        body.add(bytes, from, to) ? "more" : failedWith(response, status, body.text()),
      flush: () => "more",
      end: () => failedWith(response, status, body.text())
    }
  }
  const type = header(response.headers["content-type"]) ?? ""
  if (type.includes("html")) return pageReader
  return type.includes("json") ? jsonReader(fold) : streamReader(fold)
}

/** What a wrong address often leads to. */
const aPage: BodyFailure = {
  _tag: "Malformed",
  what: "a web page instead of an answer. Check OPENAI_BASE_URL: it often ends in /v1"
}
const pageReader: BodyReader = { feed: () => aPage, flush: () => aPage, end: () => aPage }

const failedWith = (response: Http.IncomingMessage, status: number, body: string): BodyFailure => ({
  _tag: "Status",
  status,
  retryAfter: header(response.headers["retry-after"]),
  body
})

/**
 * The server sends its answer as events, as it was asked to. Tokens that came together go on as one text: behind this,
 * each text is an entry of three lists, which live as long as the run does.
 */
const streamReader = (fold: AnswerFold): BodyReader => {
  let verdict: Verdict = "more"
  let said = ""
  const alike = new Alike()
  const flush = (): Verdict => {
    if (said === "") return verdict
    const text = said
    said = ""
    verdict = failureOf(fold.acceptText(text)) ?? verdict
    return verdict
  }
  const say = (text: string): void => {
    said += text
  }
  const onData = (data: string): void => {
    if (verdict !== "more") return
    const text = alike.textOf(data)
    if (text !== null) say(text)
    else if (flush() === "more") verdict = data === "[DONE]" ? "done" : (accept(fold, data, alike) ?? "more")
  }
  const events = sseReader(onData, maxEventChars)
  /** Whether the bytes so far end with an event. */
  let isBetween = false
  return {
    feed: (bytes, from, to) => {
      const rest = verdict === "more" && isBetween ? alike.take(bytes, from, to, say) : from
      if (rest === to) return verdict
      const fits = events.feed(bytes, rest, to)
      isBetween = events.isBetween()
      return fits || verdict !== "more" ? verdict : { _tag: "Malformed", what: "an event above 1 MiB" }
    },
    flush,
    end: (ended) => {
      flush()
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
    feed: (bytes, from, to) =>
      body.add(bytes, from, to) ? "more" : { _tag: "Malformed", what: "an answer above 4 MiB" },
    flush: () => "more",
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

const accept = (fold: AnswerFold, json: string, alike?: Alike): BodyFailure | null => {
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

const failureOf = (fault: Fault | null): BodyFailure | null => {
  if (fault === null) return null
  return fault.fault === "upstream"
    ? { _tag: "Upstream", error: fault.error }
    : { _tag: "Malformed", what: "an answer above 4 MiB" }
}

const collected = (limit: number) => {
  const parts: Array<Uint8Array> = []
  let bytes = 0
  return {
    add: (part: Buffer, from: number, to: number): boolean => {
      bytes += to - from
      if (bytes > limit) return false
      parts.push(Buffer.from(part.subarray(from, to)))
      return true
    },
    text: (): string => Buffer.concat(parts).toString("utf8")
  }
}

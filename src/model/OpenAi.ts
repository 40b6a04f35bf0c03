/**
 * Any server that speaks OpenAI's `/chat/completions`. What it promises stands at `LanguageModel`; in addition:
 *
 * - Failures that a second try may mend (connection, 408, 409, 429, 5xx) are tried again, twice at most, after
 *   a growing, jittered pause or the one the server asks for; never once a token has been streamed.
 * - A server that rejects `stream_options` is asked without it from then on; one that does not stream is
 *   understood too.
 * - Errors name what failed without the key, and quote at most 300 characters of what the server said.
 */
import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import {
  type Completion,
  LanguageModel,
  type LanguageModelService,
  ModelError,
  type ModelMessage,
  type ModelRequest,
  type TokenSink
} from "./LanguageModel.ts"
import type { Answer } from "./OpenAi/Answer.ts"
import { thriftyAgent } from "./OpenAi/connections.ts"
import { type ExchangeFailure, exchange } from "./OpenAi/exchange.ts"
import { type Explained, explain, redactor } from "./OpenAi/failure.ts"

export interface OpenAiOptions {
  /** Up to and without `/chat/completions`; a query string is kept. */
  readonly baseUrl: string
  readonly apiKey: Option.Option<Redacted.Redacted>
  /** For requests that name none. */
  readonly model: string
  /** Connecting included. */
  readonly firstByteTimeout?: Duration.DurationInput
  /** The longest silence within an answer. */
  readonly chunkTimeout?: Duration.DurationInput
  readonly retries?: number
  /** Before the first retry; doubled for each further one. */
  readonly retryDelay?: Duration.DurationInput
}

/** A server that asks for more patience than this gets no retry: the user is waiting. */
const longestRetryDelay = 20_000
/** Every run has at most one request open; MAX_RUNS is 2,000 by default. */
const maxSockets = 4_096

export const layer = (options: OpenAiOptions): Layer.Layer<LanguageModel, ConfigError.ConfigError> =>
  Layer.scoped(LanguageModel, make(options))

const make = Effect.fnUntraced(function* (options: OpenAiOptions) {
  const base = yield* parseBaseUrl(options.baseUrl)
  const key = yield* checkedKey(options.apiKey)
  const url = endpointOf(base)
  const password = decodeURIComponent(base.password)
  const redact = redactor([key, password, base.password])
  const headers = headersOf(key, decodeURIComponent(base.username), password)
  const limits = {
    firstByteMillis: Duration.toMillis(options.firstByteTimeout ?? "60 seconds"),
    chunkMillis: Duration.toMillis(options.chunkTimeout ?? "60 seconds")
  }
  const retries = options.retries ?? 2
  const retryDelay = Duration.toMillis(options.retryDelay ?? "500 millis")
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const kept = { keepAlive: true, maxSockets, maxFreeSockets: 256, timeout: 30_000 }
      return thriftyAgent(url.protocol === "https:", kept)
    }),
    (agent) => Effect.sync(() => agent.destroy())
  )
  let usageOnRequest = true

  const once = (request: ModelRequest, sink: TokenSink): Effect.Effect<Answer, ExchangeFailure> =>
    Effect.suspend(() => {
      const asked = usageOnRequest
      const body = JSON.stringify(bodyOf(request, options.model, asked))
      return exchange({ url, headers, body, agent, sink, ...limits }).pipe(
        Effect.catchIf(
          (failure) => asked && dislikesStreamOptions(failure),
          () => {
            usageOnRequest = false
            return once(request, sink)
          }
        )
      )
    })

  const generate: LanguageModelService["generate"] = (request, sink) => {
    const attempt = (left: number): Effect.Effect<Completion, ModelError> =>
      once(request, sink).pipe(
        Effect.map(completionOf),
        Effect.catchAll((failure) =>
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            const explained = explain(failure, limits, redact, now)
            const pause = yield* pauseBefore(explained, retryDelay * 2 ** (retries - left))
            if (left === 0 || pause === null) {
              const cause = failure._tag === "Connection" ? { cause: failure.cause } : {}
              return yield* new ModelError({ kind: explained.kind, reason: explained.reason, ...cause })
            }
            yield* Effect.sleep(pause)
            return yield* attempt(left - 1)
          })
        )
      )
    return attempt(retries)
  }

  return LanguageModel.of({ label: `${options.model} at ${base.origin}${base.pathname}`, generate })
})

/** Milliseconds, or null where trying again is no use. */
const pauseBefore = (explained: Explained, grown: number): Effect.Effect<number | null> =>
  Effect.gen(function* () {
    if (explained.retry === "no") return null
    // A kept connection that the server had closed meanwhile: nothing is wrong, a fresh one will do.
    if (explained.retry === "now") return 0
    const wished = explained.retryAfterMillis
    if (wished !== null && wished > longestRetryDelay) return null
    const factor = yield* Random.nextRange(0.75, 1.25)
    return Math.max(wished ?? 0, Math.min(grown, longestRetryDelay) * factor)
  })

const parseBaseUrl = (text: string): Effect.Effect<URL, ConfigError.ConfigError> =>
  Either.try(() => new URL(text)).pipe(
    Either.filterOrLeft(
      (url) => url.protocol === "http:" || url.protocol === "https:",
      () => "not http"
    ),
    Either.mapLeft(() =>
      ConfigError.InvalidData(
        ["OPENAI_BASE_URL"],
        'must be the http(s) address of an OpenAI-compatible server, such as "http://127.0.0.1:11434/v1"'
      )
    )
  )

/** A key with a line break in it would make every request throw. */
const checkedKey = (key: OpenAiOptions["apiKey"]): Effect.Effect<string, ConfigError.ConfigError> => {
  const text = Option.match(key, { onNone: () => "", onSome: (it) => Redacted.value(it).trim() })
  return /^[\x20-\x7e]*$/.test(text)
    ? Effect.succeed(text)
    : Effect.fail(ConfigError.InvalidData(["OPENAI_API_KEY"], "must be one line of plain letters and digits"))
}

const endpointOf = (base: URL): URL => {
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/+$/, "")}/chat/completions`
  url.username = ""
  url.password = ""
  url.hash = ""
  return url
}

const headersOf = (key: string, user: string, password: string): Readonly<Record<string, string>> => ({
  "content-type": "application/json",
  accept: "text/event-stream, application/json",
  "user-agent": "colloquy",
  ...(key !== ""
    ? { authorization: `Bearer ${key}` }
    : user !== ""
      ? { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` }
      : {})
})

const dislikesStreamOptions = (failure: ExchangeFailure): boolean =>
  failure._tag === "Status" &&
  (failure.status === 400 || failure.status === 422) &&
  /stream_options|include_usage/.test(failure.body)

const bodyOf = (request: ModelRequest, model: string, usage: boolean) => ({
  model: request.model ?? model,
  messages: request.messages.map(messageOf),
  stream: true,
  ...(usage ? { stream_options: { include_usage: true } } : {}),
  ...(request.temperature === null ? {} : { temperature: request.temperature }),
  ...(typeof request.topP === "number" ? { top_p: request.topP } : {}),
  ...(request.tools.length === 0
    ? {}
    : { tools: request.tools.map((tool) => ({ type: "function", function: tool })) })
})

const messageOf = (message: ModelMessage) => {
  switch (message.role) {
    case "system":
    case "user":
      return message
    case "tool":
      return { role: message.role, tool_call_id: message.toolCallId, content: message.content }
    case "assistant":
      return message.toolCalls.length === 0
        ? { role: message.role, content: message.content }
        : {
            role: message.role,
            content: message.content === "" ? null : message.content,
            tool_calls: message.toolCalls.map((call) => ({
              id: call.id,
              type: "function",
              function: { name: call.name, arguments: call.arguments }
            }))
          }
  }
}

const completionOf = (answer: Answer): Completion => ({
  ...answer,
  // The result of a call is matched to it by id; where the server gave none, any unique one will do.
  toolCalls: answer.toolCalls.map((call) => ({
    id: call.id === "" ? `call_${randomUUID()}` : call.id,
    name: call.name,
    arguments: call.arguments === "" ? "{}" : call.arguments
  })),
  finishReason: answer.finishReason ?? "stop"
})

/**
 * Embeddings of any server that speaks OpenAI's `/embeddings`, where OPENAI_EMBEDDING_MODEL names one.
 *
 * Texts go in batches, a few at a time. Failures that a second try may mend (connection, 408, 409, 429, 5xx) are
 * tried again, twice at most, after a growing pause or the one the server asks for.
 */
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import { Settings } from "../config.ts"
import { Embeddings, type EmbeddingsService } from "./Embeddings.ts"
import { ModelError } from "./LanguageModel.ts"
import type { ExchangeFailure } from "./OpenAi/exchange.ts"
import { explain, redactor } from "./OpenAi/failure.ts"

export interface EmbeddingsOptions {
  /** Up to and without `/embeddings`; a query string is kept. */
  readonly baseUrl: string
  readonly apiKey: Option.Option<Redacted.Redacted>
  readonly model: string
  readonly timeout?: Duration.DurationInput
  readonly retries?: number
  /** Before the first retry; doubled for each further one. */
  readonly retryDelay?: Duration.DurationInput
}

const defaultBaseUrl = "https://api.openai.com/v1"
const batchSize = 64
const batchesAtATime = 2
/** About 8,000 tokens of English, which is what models take at most; Chinese has about a token a character. */
const maxChars = 8_000
/** 64 vectors of 4,096 numbers, as JSON, take about 6 MB. */
const maxAnswerBytes = 32 * 1024 * 1024
const maxErrorBytes = 16 * 1024
const longestRetryDelay = 20_000

export const layer: Layer.Layer<Embeddings, ConfigError.ConfigError, Settings> = Layer.unwrapEffect(
  Effect.map(Settings, ({ openAi: { apiKey, baseUrl, embeddingModel } }) =>
    Option.match(embeddingModel, {
      onNone: () => Embeddings.none,
      onSome: (model) =>
        layerWith({ baseUrl: Option.getOrElse(baseUrl, () => defaultBaseUrl), apiKey, model })
    })
  )
)

export const layerWith = (options: EmbeddingsOptions): Layer.Layer<Embeddings, ConfigError.ConfigError> =>
  Layer.effect(Embeddings, make(options))

const make = Effect.fnUntraced(function* (options: EmbeddingsOptions) {
  const url = yield* endpointOf(options.baseUrl)
  const key = Option.match(options.apiKey, { onNone: () => "", onSome: (it) => Redacted.value(it).trim() })
  if (!/^[\x20-\x7e]*$/.test(key)) {
    return yield* Effect.fail(
      ConfigError.InvalidData(["OPENAI_API_KEY"], "must be one line of plain letters and digits")
    )
  }
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  url.username = ""
  url.password = ""
  const authorization =
    key !== ""
      ? `Bearer ${key}`
      : user !== ""
        ? `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
        : ""
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    "user-agent": "colloquy",
    ...(authorization === "" ? {} : { authorization })
  }
  const redact = redactor([key, password])
  const millis = Duration.toMillis(options.timeout ?? "60 seconds")
  const limits = { firstByteMillis: millis, chunkMillis: millis }
  const retries = options.retries ?? 2
  const retryDelay = Duration.toMillis(options.retryDelay ?? "500 millis")

  const batch = (
    texts: ReadonlyArray<string>,
    left = retries
  ): Effect.Effect<ReadonlyArray<Float32Array>, ModelError> =>
    post(url, headers, { model: options.model, input: texts }, millis).pipe(
      Effect.flatMap((answer) => vectorsOf(answer, texts.length)),
      Effect.catchAll((failure) =>
        Effect.gen(function* () {
          const explained = explain(failure, limits, redact, yield* Clock.currentTimeMillis)
          const wished = explained.retryAfterMillis ?? 0
          if (left === 0 || explained.retry === "no" || wished > longestRetryDelay) {
            const unknown = failure._tag === "Status" && failure.status === 404
            const reason = unknown
              ? explained.reason.replace("OPENAI_MODEL", "OPENAI_EMBEDDING_MODEL")
              : explained.reason
            return yield* new ModelError({ kind: explained.kind, reason })
          }
          const factor = yield* Random.nextRange(0.75, 1.25)
          yield* Effect.sleep(Math.max(wished, retryDelay * 2 ** (retries - left) * factor))
          return yield* batch(texts, left - 1)
        })
      )
    )

  const embed: EmbeddingsService["embed"] = (texts) => {
    const batches: Array<ReadonlyArray<string>> = []
    for (let from = 0; from < texts.length; from += batchSize) {
      batches.push(texts.slice(from, from + batchSize).map(sendable))
    }
    return Effect.forEach(batches, (one) => batch(one), { concurrency: batchesAtATime }).pipe(
      Effect.map((vectors) => vectors.flat()),
      Effect.filterOrFail(
        (vectors) => vectors.every(({ length }) => length === vectors[0]?.length),
        () => malformed("vectors of different lengths")
      )
    )
  }
  return Embeddings.of({ model: options.model, embed })
})

/** Servers refuse empty texts. */
const sendable = (text: string): string => (text.trim() === "" ? " . " : text.slice(0, maxChars))

const endpointOf = (baseUrl: string): Effect.Effect<URL, ConfigError.ConfigError> => {
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (base === undefined || (base.protocol !== "http:" && base.protocol !== "https:")) {
    return Effect.fail(
      ConfigError.InvalidData(
        ["OPENAI_BASE_URL"],
        'must be the http(s) address of an OpenAI-compatible server, such as "http://127.0.0.1:11434/v1"'
      )
    )
  }
  base.pathname = `${base.pathname.replace(/\/+$/, "")}/embeddings`
  base.hash = ""
  return Effect.succeed(base)
}

const post = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  millis: number
): Effect.Effect<unknown, ExchangeFailure> =>
  Effect.tryPromise({
    try: (signal) =>
      fetch(url, { method: "POST", headers, body: JSON.stringify(body), redirect: "manual", signal }),
    catch: connectionFailure
  }).pipe(
    Effect.flatMap((response) =>
      response.ok
        ? bodyOf(response, maxAnswerBytes).pipe(
            Effect.flatMap((text) =>
              text === null
                ? Effect.fail(malformedAnswer("an answer above 32 MiB"))
                : Effect.try({
                    try: (): unknown => JSON.parse(text),
                    catch: () => malformedAnswer("something that is not JSON")
                  })
            )
          )
        : bodyOf(response, maxErrorBytes).pipe(
            Effect.flatMap((text) =>
              Effect.fail<ExchangeFailure>({
                _tag: "Status",
                status: response.status,
                retryAfter: response.headers.get("retry-after"),
                body: text ?? "",
                untouched: true
              })
            )
          )
    ),
    Effect.timeoutFail({
      duration: millis,
      onTimeout: (): ExchangeFailure => ({ _tag: "Timeout", waitingFor: "first byte", untouched: true })
    })
  )

/** null: longer than that. Interrupting closes the connection. */
const bodyOf = (response: Response, limit: number): Effect.Effect<string | null, ExchangeFailure> =>
  Effect.suspend(() => {
    const reader = response.body?.getReader()
    if (reader === undefined) return Effect.succeed("")
    const read = async (): Promise<string | null> => {
      const chunks: Array<Uint8Array> = []
      let bytes = 0
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return Buffer.concat(chunks).toString("utf8")
        bytes += value.byteLength
        if (bytes > limit) return null
        chunks.push(value)
      }
    }
    return Effect.tryPromise({
      try: read,
      catch: (): ExchangeFailure => ({ _tag: "Cut", untouched: true })
    }).pipe(Effect.ensuring(Effect.promise(() => reader.cancel().catch(() => undefined))))
  })

const connectionFailure = (error: unknown): ExchangeFailure => {
  // fetch wraps what happened to the socket.
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const cause = inner instanceof Error ? inner : new Error(String(inner))
  return { _tag: "Connection", cause, staleSocket: false, untouched: true }
}

const malformedAnswer = (what: string): ExchangeFailure => ({ _tag: "Malformed", what, untouched: true })

const malformed = (what: string) =>
  new ModelError({ kind: "malformed", reason: `The model server sent ${what}.` })

/** Checked by hand: a batch holds some 100,000 numbers, and a schema would look at each for a microsecond. */
const vectorsOf = (
  answer: unknown,
  count: number
): Effect.Effect<ReadonlyArray<Float32Array>, ExchangeFailure> => {
  const data = Predicate.hasProperty(answer, "data") && Array.isArray(answer.data) ? answer.data : []
  const vectors = new Map<number, Float32Array>()
  data.forEach((entry: unknown, position) => {
    if (!Predicate.hasProperty(entry, "embedding") || !Array.isArray(entry.embedding)) return
    const numbers: ReadonlyArray<unknown> = entry.embedding
    if (numbers.length === 0 || !numbers.every(Predicate.isNumber)) return
    const index = Predicate.hasProperty(entry, "index") ? Number(entry.index) : position
    vectors.set(index, Float32Array.from(numbers))
  })
  const ordered = Array.from({ length: count }, (_, at) => vectors.get(at)).filter((one) => one !== undefined)
  return ordered.length === count
    ? Effect.succeed(ordered)
    : Effect.fail(malformedAnswer("something else than one vector for each text"))
}

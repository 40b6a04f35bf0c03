/**
 * What the environment may say. Every key, its default and its unit stand in docs/configuration.md; a value
 * that makes no sense stops the server at start with a sentence that says what to write instead.
 */
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

export interface SettingsShape {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  /** `mysql://…`, `memory:`, or none for SQLite in `dataDir`. */
  readonly databaseUrl: Option.Option<Redacted.Redacted>
  readonly redisUrl: Option.Option<Redacted.Redacted>
  readonly nodeId: string
  readonly authSecret: Option.Option<Redacted.Redacted>
  /** Origins beside the server's own that browsers may connect from; "*" allows all. */
  readonly allowedOrigins: ReadonlyArray<string>
  readonly guestAccess: boolean
  readonly openAi: {
    readonly baseUrl: Option.Option<string>
    readonly apiKey: Option.Option<Redacted.Redacted>
    readonly model: Option.Option<string>
    /** None: documents are searched by words alone. */
    readonly embeddingModel: Option.Option<string>
  }
  readonly maxFrameBytes: number
  readonly maxConnections: number
  readonly maxRuns: number
  readonly maxQueuedRuns: number
  /** Questions at a time whose run begins while they are accepted; 0: none. */
  readonly maxHeadStarts: number
  readonly socketBufferBytes: number
  readonly maxUploadBytes: number
  /** Pages of one document that are read, and how long reading one may take. */
  readonly maxDocumentPages: number
  readonly documentTimeout: Duration.Duration
  /** Hosts that graphs may load pages from; empty: none. */
  readonly webHosts: ReadonlyArray<string>
  /** How long a signed link to a file works. */
  readonly fileLinkTtl: Duration.Duration
  /** How long a run waits for a person. */
  readonly inputWaitLimit: Duration.Duration
  readonly runOrphanTimeout: Duration.Duration
  /** A node that is silent for this long has lost its runs. */
  readonly leaseTime: Duration.Duration
  readonly drainTimeout: Duration.Duration
  readonly buildCacheTtl: Duration.Duration
  readonly logLevel: LogLevel.Literal
  readonly logFormat: "pretty" | "json"
}

export class Settings extends Context.Tag("colloquy/Settings")<Settings, SettingsShape>() {
  static readonly Env = Layer.effect(
    Settings,
    Effect.suspend(() => fromEnvironment)
  )
}

const logLevels = ["All", "Trace", "Debug", "Info", "Warning", "Error", "Fatal", "None"] as const

/** An empty variable counts as absent, whatever it is for. */
const text = (name: string) => Config.nonEmptyString(name)

/** What `read` throws is what people read. */
const valued = <A>(name: string, read: (text: string) => A, fallback: A) =>
  text(name).pipe(Config.mapAttempt(read), Config.withDefault(fallback))

/** `words`: which whole numbers it may be. */
const whole =
  (words: string, least: number, most = Number.MAX_SAFE_INTEGER) =>
  (name: string, fallback: number) =>
    valued(
      name,
      (text) => {
        const number = text.trim() === "" ? Number.NaN : Number(text)
        if (Number.isSafeInteger(number) && number >= least && number <= most) return number
        throw new Error(`${name} must be ${words}`)
      },
      fallback
    )

const positive = whole("a whole number above 0", 1)
const notNegative = whole("a whole number from 0 on", 0)
const portNumber = whole("0 (any free port) to 65535", 0, 65_535)

/** A bare number is seconds; otherwise Effect's notation ("10 minutes"). `least`: it may not be shorter. */
const duration = (name: string, fallback: Duration.DurationInput, least: Duration.DurationInput = 0) =>
  valued(
    name,
    (text) => {
      const seconds = Number(text)
      const read =
        text.trim() !== "" && Number.isFinite(seconds) && seconds >= 0
          ? Duration.seconds(seconds)
          : Option.getOrThrowWith(
              Duration.decodeUnknown(text),
              () => new Error(`${name} must be seconds ("30") or a duration ("10 minutes")`)
            )
      if (Duration.greaterThanOrEqualTo(read, least)) return read
      throw new Error(`${name} must be ${Duration.format(least)} or more`)
    },
    Duration.decode(fallback)
  )

/** One of some words, in whatever case. */
const oneOf = <A extends string>(name: string, words: ReadonlyArray<A>, fallback: A) =>
  valued(
    name,
    (text) =>
      Option.getOrThrowWith(
        Arr.findFirst(words, (word) => word.toLowerCase() === text.toLowerCase()),
        () => new Error(`${name} must be one of ${words.join(", ").toLowerCase()}`)
      ),
    fallback
  )

const yes = ["true", "yes", "on", "1"]
const no = ["false", "no", "off", "0"]

const flag = (name: string, fallback: boolean) =>
  Config.map(oneOf(name, [...yes, ...no], fallback ? "true" : "false"), (word) => yes.includes(word))

/** Values apart by commas. */
const list = (name: string) =>
  valued<ReadonlyArray<string>>(
    name,
    (text) =>
      text
        .split(",")
        .map((value) => value.trim())
        .filter((value) => value !== ""),
    []
  )

const secret = (name: string) => Config.option(Config.redacted(text(name)))

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || host.startsWith("127.")

const fromEnvironment = Effect.gen(function* () {
  const host = yield* Config.withDefault(text("HOST"), "127.0.0.1")
  return {
    host,
    port: yield* portNumber("PORT", 7860),
    dataDir: yield* Config.withDefault(text("DATA_DIR"), "./data"),
    databaseUrl: yield* secret("DATABASE_URL"),
    redisUrl: yield* secret("REDIS_URL"),
    nodeId: yield* Config.withDefault(text("NODE_ID"), "node-1"),
    authSecret: yield* secret("AUTH_SECRET"),
    allowedOrigins: yield* list("ALLOWED_ORIGINS"),
    guestAccess: yield* flag("GUEST_ACCESS", isLoopback(host)),
    openAi: {
      baseUrl: yield* Config.option(text("OPENAI_BASE_URL")),
      apiKey: yield* secret("OPENAI_API_KEY"),
      model: yield* Config.option(text("OPENAI_MODEL")),
      embeddingModel: yield* Config.option(text("OPENAI_EMBEDDING_MODEL"))
    },
    maxFrameBytes: yield* positive("MAX_FRAME_BYTES", 1024 * 1024),
    maxConnections: yield* positive("MAX_CONNECTIONS", 10_000),
    maxRuns: yield* positive("MAX_RUNS", 2_000),
    maxQueuedRuns: yield* positive("MAX_QUEUED_RUNS", 16),
    maxHeadStarts: yield* notNegative("MAX_HEAD_STARTS", 32),
    socketBufferBytes: yield* positive("SOCKET_BUFFER_BYTES", 256 * 1024),
    maxUploadBytes: yield* positive("MAX_UPLOAD_BYTES", 20 * 1024 * 1024),
    maxDocumentPages: yield* positive("MAX_DOCUMENT_PAGES", 500),
    documentTimeout: yield* duration("DOCUMENT_TIMEOUT", "60 seconds", "1 second"),
    webHosts: yield* list("WEB_HOSTS"),
    fileLinkTtl: yield* duration("FILE_LINK_TTL", "1 hour", "1 second"),
    inputWaitLimit: yield* duration("INPUT_WAIT_LIMIT", "24 hours"),
    runOrphanTimeout: yield* duration("RUN_ORPHAN_TIMEOUT", "10 minutes"),
    leaseTime: yield* duration("LEASE_TIME", "8 seconds", "1 second"),
    drainTimeout: yield* duration("DRAIN_TIMEOUT", "30 seconds"),
    buildCacheTtl: yield* duration("BUILD_CACHE_TTL", "10 minutes"),
    logLevel: yield* oneOf("LOG_LEVEL", logLevels, "Info"),
    logFormat: yield* oneOf("LOG_FORMAT", ["pretty", "json"], "pretty")
  } satisfies SettingsShape
})

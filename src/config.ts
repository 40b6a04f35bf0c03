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

/** An empty variable counts as absent. */
const optional = <A>(config: Config.Config<A>) => Config.option(config)

const nonEmpty = (name: string) => Config.nonEmptyString(name)

const positive = (name: string, fallback: number) =>
  Config.integer(name).pipe(
    Config.validate({ message: `${name} must be a whole number above 0`, validation: (n) => n > 0 }),
    Config.withDefault(fallback)
  )

const notNegative = (name: string, fallback: number) =>
  Config.integer(name).pipe(
    Config.validate({ message: `${name} must be a whole number from 0 on`, validation: (n) => n >= 0 }),
    Config.withDefault(fallback)
  )

/** A bare number is seconds; otherwise Effect's notation ("10 minutes"). */
const duration = (name: string, fallback: Duration.DurationInput) =>
  Config.string(name).pipe(
    Config.mapAttempt((text) => {
      const seconds = Number(text)
      if (text.trim() !== "" && Number.isFinite(seconds) && seconds >= 0) return Duration.seconds(seconds)
      return Option.getOrThrowWith(
        Duration.decodeUnknown(text),
        () => new Error(`${name} must be seconds ("30") or a duration ("10 minutes")`)
      )
    }),
    Config.withDefault(Duration.decode(fallback))
  )

/** Values apart by commas. */
const list = (name: string) =>
  Config.string(name).pipe(
    Config.withDefault(""),
    Config.map((text) =>
      text
        .split(",")
        .map((value) => value.trim())
        .filter((value) => value !== "")
    )
  )

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || host.startsWith("127.")

const fromEnvironment = Effect.gen(function* () {
  const host = yield* Config.string("HOST").pipe(Config.withDefault("127.0.0.1"))
  return {
    host,
    port: yield* Config.integer("PORT").pipe(
      Config.validate({
        message: "PORT must be 0 (any free port) to 65535",
        validation: (port) => port >= 0 && port <= 65_535
      }),
      Config.withDefault(7860)
    ),
    dataDir: yield* Config.string("DATA_DIR").pipe(Config.withDefault("./data")),
    databaseUrl: yield* optional(Config.redacted(nonEmpty("DATABASE_URL"))),
    redisUrl: yield* optional(Config.redacted(nonEmpty("REDIS_URL"))),
    nodeId: yield* Config.string("NODE_ID").pipe(Config.withDefault("node-1")),
    authSecret: yield* optional(Config.redacted(nonEmpty("AUTH_SECRET"))),
    allowedOrigins: yield* list("ALLOWED_ORIGINS"),
    guestAccess: yield* Config.boolean("GUEST_ACCESS").pipe(Config.withDefault(isLoopback(host))),
    openAi: {
      baseUrl: yield* optional(nonEmpty("OPENAI_BASE_URL")),
      apiKey: yield* optional(Config.redacted(nonEmpty("OPENAI_API_KEY"))),
      model: yield* optional(nonEmpty("OPENAI_MODEL")),
      embeddingModel: yield* optional(nonEmpty("OPENAI_EMBEDDING_MODEL"))
    },
    maxFrameBytes: yield* positive("MAX_FRAME_BYTES", 1024 * 1024),
    maxConnections: yield* positive("MAX_CONNECTIONS", 10_000),
    maxRuns: yield* positive("MAX_RUNS", 2_000),
    maxQueuedRuns: yield* positive("MAX_QUEUED_RUNS", 16),
    maxHeadStarts: yield* notNegative("MAX_HEAD_STARTS", 32),
    socketBufferBytes: yield* positive("SOCKET_BUFFER_BYTES", 256 * 1024),
    maxUploadBytes: yield* positive("MAX_UPLOAD_BYTES", 20 * 1024 * 1024),
    maxDocumentPages: yield* positive("MAX_DOCUMENT_PAGES", 500),
    documentTimeout: yield* duration("DOCUMENT_TIMEOUT", "60 seconds"),
    webHosts: yield* list("WEB_HOSTS"),
    fileLinkTtl: yield* duration("FILE_LINK_TTL", "1 hour"),
    inputWaitLimit: yield* duration("INPUT_WAIT_LIMIT", "24 hours"),
    runOrphanTimeout: yield* duration("RUN_ORPHAN_TIMEOUT", "10 minutes"),
    leaseTime: yield* duration("LEASE_TIME", "8 seconds"),
    drainTimeout: yield* duration("DRAIN_TIMEOUT", "30 seconds"),
    buildCacheTtl: yield* duration("BUILD_CACHE_TTL", "10 minutes"),
    logLevel: yield* Config.string("LOG_LEVEL").pipe(
      Config.withDefault("info"),
      Config.mapAttempt((name) =>
        Option.getOrThrowWith(
          Arr.findFirst(logLevels, (level) => level.toLowerCase() === name.toLowerCase()),
          () => new Error(`LOG_LEVEL must be one of ${logLevels.join(", ").toLowerCase()}`)
        )
      )
    ),
    logFormat: yield* Config.literal(
      "pretty",
      "json"
    )("LOG_FORMAT").pipe(Config.withDefault("pretty" as const))
  } satisfies SettingsShape
})

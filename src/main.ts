/**
 * The program: configuration, the implementations it chooses, and the port. The one place that decides which
 * storage and which model answer.
 */
import { resolve } from "node:path"
import { setFlagsFromString } from "node:v8"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import { Accounts } from "./account/Accounts.ts"
import { TokensLive } from "./account/TokensLive.ts"
import { BuildCache } from "./app/BuildCache.ts"
import { Builder } from "./app/Builder.ts"
import { CatalogueLive } from "./app/CatalogueLive.ts"
import { Judge } from "./app/Judge.ts"
import * as ReportMaker from "./app/report/ReportMaker.ts"
import { seedApps } from "./app/seed/seed.ts"
import { Settings, type SettingsShape } from "./config.ts"
import { Peers } from "./gateway/Peers.ts"
import { FileLinksLive } from "./http/FileLinksLive.ts"
import * as Documents from "./knowledge/DocumentsLive.ts"
import * as Library from "./knowledge/Library.ts"
import * as Retrieval from "./knowledge/RetrievalLive.ts"
import * as Uploads from "./knowledge/Uploads.ts"
import * as Embeddings from "./model/EmbeddingsLive.ts"
import { LanguageModel } from "./model/LanguageModel.ts"
import * as Model from "./model/Model.ts"
import { OptionalRedis } from "./redis/Redis.ts"
import { Actions } from "./run/Actions.ts"
import { Checkpoints } from "./run/Checkpoints.ts"
import { serve } from "./serve.ts"
import { Hub } from "./session/Hub.ts"
import { SharedSessions } from "./session/shared/SessionLog.ts"
import { Ticker } from "./session/Ticker.ts"
import { Storage } from "./storage/Storage.ts"

/** Where data lives, without the password that a URL may carry. */
const describeStorage = ({ databaseUrl, dataDir }: SettingsShape): string =>
  Option.match(Option.map(databaseUrl, Redacted.value), {
    onNone: () => resolve(dataDir),
    onSome: (text) => {
      if (text === "memory:") return "memory (nothing is kept)"
      const url = URL.parse(text)
      return url === null
        ? "a database"
        : `${url.protocol}//${url.host}${url.pathname}, files in ${resolve(dataDir)}`
    }
  })

const program = Effect.gen(function* () {
  const settings = yield* Settings
  const model = yield* LanguageModel
  yield* seedApps
  const hub = yield* Hub
  const left = yield* hub.recover
  if (left > 0) yield* Effect.logInfo(`took up ${left} runs that an earlier process had left`)
  const { url } = yield* serve
  const about = { data: describeStorage(settings), model: model.label }
  yield* settings.logFormat === "json"
    ? Effect.annotateLogs(Effect.logInfo(`Colloquy is at ${url}`), about)
    : Console.log(`Colloquy is at ${url}\n  data   ${about.data}\n  model  ${about.model}`)
  return yield* Effect.never
})

/** `runMain` has put the pretty logger in the place of the default one: that is the one to replace. */
const jsonLogger = Logger.replace(Logger.prettyLoggerDefault, Logger.withConsoleLog(Logger.jsonLogger))

const logging = Layer.unwrapEffect(
  Effect.map(Settings, ({ logLevel, logFormat }) =>
    Layer.merge(
      logFormat === "json" ? jsonLogger : Logger.pretty,
      Logger.minimumLogLevel(LogLevel.fromLiteral(logLevel))
    )
  )
)

const live = Hub.Live.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      Checkpoints.Live,
      Ticker.Live,
      Judge.Live,
      Peers.Live,
      Actions.Live,
      CatalogueLive,
      SharedSessions
    )
  ),
  Layer.provideMerge(Builder.Live),
  Layer.provideMerge(Layer.merge(Model.layer, ReportMaker.layer)),
  Layer.provideMerge(
    Layer.mergeAll(
      Library.layer,
      Documents.layer,
      Layer.provide(Retrieval.layer, Embeddings.layer),
      Uploads.layer,
      Accounts.Live,
      BuildCache.Live
    )
  ),
  Layer.provideMerge(Layer.mergeAll(TokensLive, FileLinksLive, OptionalRedis.Live)),
  Layer.provideMerge(Storage.Live),
  Layer.provideMerge(logging),
  Layer.provideMerge(Settings.Env),
  Layer.provideMerge(NodeContext.layer)
)

// Threads that help to collect young garbage take more CPU time than they spare this one thread: a tenth of a busy node's.
setFlagsFromString("--no-parallel-scavenge")

program.pipe(
  Effect.scoped,
  Effect.provide(live),
  // Nobody collects spans, or what fibers count of themselves: together they took a tenth of a busy node's time.
  Effect.withTracerEnabled(false),
  Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.disable(RuntimeFlags.RuntimeMetrics)),
  NodeRuntime.runMain
)

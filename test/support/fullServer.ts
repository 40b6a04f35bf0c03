/**
 * Everything that the program runs, in this process on a real port: apps as they are stored, built by the real
 * builder, files on a real disk. Only the model is the test's, and what is stored is kept in memory.
 */
import { createServer } from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Accounts } from "../../src/account/Accounts.ts"
import { Tokens } from "../../src/account/Tokens.ts"
import { TokensLive } from "../../src/account/TokensLive.ts"
import { BuildCache } from "../../src/app/BuildCache.ts"
import { Builder } from "../../src/app/Builder.ts"
import { CatalogueLive } from "../../src/app/CatalogueLive.ts"
import { Judge } from "../../src/app/Judge.ts"
import * as ReportMaker from "../../src/app/report/ReportMaker.ts"
import { Settings, type SettingsShape } from "../../src/config.ts"
import { serveSockets } from "../../src/gateway/Gateway.ts"
import { Peers } from "../../src/gateway/Peers.ts"
import { httpApp } from "../../src/http/app.ts"
import { FileLinksLive } from "../../src/http/FileLinksLive.ts"
import { PageFolder } from "../../src/http/page.ts"
import * as Documents from "../../src/knowledge/DocumentsLive.ts"
import * as Library from "../../src/knowledge/Library.ts"
import * as Retrieval from "../../src/knowledge/RetrievalLive.ts"
import * as Uploads from "../../src/knowledge/Uploads.ts"
import * as Embeddings from "../../src/model/EmbeddingsLive.ts"
import { LanguageModel } from "../../src/model/LanguageModel.ts"
import { OptionalRedis } from "../../src/redis/Redis.ts"
import { Actions } from "../../src/run/Actions.ts"
import { Checkpoints } from "../../src/run/Checkpoints.ts"
import { Hub } from "../../src/session/Hub.ts"
import { SharedSessions } from "../../src/session/shared/SessionLog.ts"
import { Flows } from "../../src/storage/Flows.ts"
import { Messages } from "../../src/storage/Messages.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { Recalls } from "../../src/storage/Recalls.ts"
import { Reports } from "../../src/storage/Reports.ts"
import { Runs } from "../../src/storage/Runs.ts"
import type { FlowType } from "../../src/storage/rows.ts"
import { TickerAtLeisure } from "./atLeisure.ts"
import { connect, isClose, nameOf, type TestClient } from "./client.ts"
import { testSettings } from "./settings.ts"
import { type Speech, scriptedSpeech } from "./speech.ts"

const secret = "a secret that only this test knows, long enough"

interface Beginning {
  /** What the model says to each request. */
  readonly model?: Speech
  readonly settings?: Partial<SettingsShape>
  /** Of an earlier server, to go on with what it has stored. */
  readonly after?: {
    readonly stores: Context.Context<Layer.Layer.Success<typeof Memory>>
    readonly dataDir: string
  }
}

const usualSpeech: Speech = (request) => `<${request.messages.at(-1)?.content ?? ""}>`

/** The owner of every app; whoever else there is, is somebody else. */
export const owner = 1

export const startFull = ({ model: speech = usualSpeech, settings: changes = {}, after }: Beginning = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const dataDir = after?.dataDir ?? (yield* fs.makeTempDirectoryScoped({ prefix: "colloquy-full-" }))
    const stores = after?.stores ?? (yield* Layer.build(Memory))
    const model = scriptedSpeech(speech)
    const settings = Settings.of({
      ...testSettings,
      dataDir,
      authSecret: Option.some(Redacted.make(secret)),
      ...changes
    })
    const quiet = Logger.remove(Logger.defaultLogger)
    const layer = Hub.Live.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          Checkpoints.Live,
          TickerAtLeisure,
          Judge.Live,
          Peers.Live,
          Actions.Live,
          CatalogueLive,
          SharedSessions
        )
      ),
      Layer.provideMerge(Builder.Live),
      Layer.provideMerge(Layer.merge(Layer.succeed(LanguageModel, model.service), ReportMaker.layer)),
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
      Layer.provideMerge(Layer.succeedContext(stores)),
      Layer.provideMerge(Layer.succeed(Settings, settings)),
      Layer.provideMerge(Layer.succeed(PageFolder, `${dataDir}/no-page`)),
      Layer.provideMerge(NodeContext.layer),
      Layer.provideMerge(quiet)
    )
    const life = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const context = yield* Layer.buildWithScope(layer, life)
    const within = <A, E, R extends Layer.Layer.Success<typeof layer>>(effect: Effect.Effect<A, E, R>) =>
      Effect.orDie(Effect.provide(effect, context))

    const server = createServer()
    yield* Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.async<void>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.void))
        }),
        () =>
          Effect.async<void>((resume) => {
            server.close(() => resume(Effect.void))
            server.closeAllConnections()
          })
      )
      server.on("request", yield* NodeHttpServer.makeHandler(yield* httpApp))
      yield* serveSockets(server)
      const hub = yield* Hub
      yield* Effect.addFinalizer(() => hub.drain)
    }).pipe(Effect.provide(context), Effect.provide(quiet), Scope.extend(life))
    const bound = server.address()
    if (bound === null || typeof bound === "string") return yield* Effect.dieMessage("the server has no port")
    const origin = `http://127.0.0.1:${bound.port}`
    const token = (user: number) =>
      within(Effect.flatMap(Tokens, (tokens) => tokens.mint(user, `user-${user}`)))

    return {
      origin,
      model,
      token,
      /** What a server that follows this one goes on with. */
      left: { stores, dataDir },
      /** As the program does on SIGTERM; returns when all is down. */
      shutDown: Scope.close(life, Exit.void),

      /** Puts an app online; answers its id. */
      app: (data: unknown, flowType: FlowType = 1, name = "App") =>
        within(
          Effect.gen(function* () {
            const flows = yield* Flows
            const id = yield* Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))
            yield* flows.create({
              id,
              name,
              description: "",
              flow_type: flowType,
              status: 2,
              user_id: owner,
              data
            })
            return id
          })
        ),

      /** Answers the uploaded file's path, as clients send it back. */
      upload: (flowId: string, name: string, content: string | Uint8Array, user = owner, chatId = "") =>
        Effect.flatMap(token(user), (bearer) =>
          Effect.promise(async () => {
            const form = new FormData()
            const bytes = typeof content === "string" ? content : new Uint8Array(content)
            form.append("file", new Blob([bytes]), name)
            const query = chatId === "" ? "" : `?chat_id=${chatId}`
            const response = await fetch(`${origin}/api/v1/upload/${flowId}${query}`, {
              method: "POST",
              headers: { authorization: `Bearer ${bearer}` },
              body: form
            })
            const { data, ...envelope } = JSON.parse(await response.text())
            if (typeof data?.file_path !== "string") throw new Error(JSON.stringify(envelope))
            return data.file_path
          })
        ),

      /** A file's record and bytes without the checks of an upload: for files that get worse later. */
      planted: (flowId: string, name: string, bytes: Uint8Array, user = owner) =>
        within(
          Effect.flatMap(Uploads.Uploads, (uploads) =>
            uploads.saveMade({
              flowId,
              userId: user,
              chatId: "",
              name,
              mediaType: "application/octet-stream",
              bytes
            })
          )
        ).pipe(Effect.map(({ id }) => `files/${id}`)),

      /** The app's template from now on. */
      template: (flowId: string, bytes: Uint8Array) =>
        within(
          Effect.gen(function* () {
            const uploads = yield* Uploads.Uploads
            const reports = yield* Reports
            const { id } = yield* uploads.save({
              flowId,
              userId: owner,
              name: "template.docx",
              content: Stream.make(bytes),
              purpose: "template"
            })
            yield* reports.add({ flow_id: flowId, file_id: id, file_name: "template.docx", user_id: owner })
          })
        ),

      /** What a link in a frame leads to. */
      download: (url: string) =>
        Effect.promise(async () => {
          const response = await fetch(new URL(url, origin))
          return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) }
        }),

      connect: (flowId: string, chat = "c1", user = owner) =>
        Effect.flatMap(token(user), (bearer) =>
          Effect.orDie(
            connect(`ws://127.0.0.1:${bound.port}/api/v1/chat/${flowId}?t=${bearer}&chat_id=${chat}`)
          )
        ),

      /** The chat's rows, oldest first. */
      rows: (chatId = "c1") =>
        within(
          Effect.map(
            Effect.flatMap(Messages, (store) => store.page({ chatId, before: null, limit: 1000 })),
            (rows) => [...rows].reverse()
          )
        ),
      run: (runId: string | undefined) =>
        within(Effect.flatMap(Runs, (store) => Effect.map(store.get(runId ?? ""), Option.getOrThrow))),
      /** The passages kept under an answer. */
      chunks: (messageId: number | null | undefined) =>
        within(Effect.flatMap(Recalls, (store) => store.ofMessage(messageId ?? 0)))
    }
  }).pipe(Effect.provide(NodeContext.layer))

export type FullServer = Effect.Effect.Success<ReturnType<typeof startFull>>

/** `begin/system …`, as the protocol page names frames; a run of stream frames of one category is one. */
export const told = (client: TestClient, from = 0): ReadonlyArray<string> =>
  client.frames
    .slice(from)
    .map(nameOf)
    .filter((name, at, all) => !(name.startsWith("stream/") && all[at - 1] === name))

export const closedTimes = (client: TestClient, count: number): Effect.Effect<void> =>
  client.untilCount(isClose, count)

/** The error's code and words. */
export const errorIn = (client: TestClient): Effect.Effect<unknown> =>
  Effect.map(
    client.until(({ category }) => category === "error", "an error"),
    ({ message }) => message
  )

/**
 * The whole of HTTP on a free port of this machine, over memory storage, with sockets beside it, so that a test
 * can ask as a client does: `server.get("/chat/list", { as: ada })`.
 */
import { createServer } from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { SignJWT } from "jose"
import { Accounts } from "../../src/account/Accounts.ts"
import { TokensLive } from "../../src/account/TokensLive.ts"
import { BuildCache } from "../../src/app/BuildCache.ts"
import type { Builder } from "../../src/app/Builder.ts"
import { Judge } from "../../src/app/Judge.ts"
import { Settings, type SettingsShape } from "../../src/config.ts"
import { serveSockets } from "../../src/gateway/Gateway.ts"
import { Peers } from "../../src/gateway/Peers.ts"
import { httpApp } from "../../src/http/app.ts"
import { PageFolder } from "../../src/http/page.ts"
import * as Uploads from "../../src/knowledge/Uploads.ts"
import { OptionalRedis } from "../../src/redis/Redis.ts"
import { Actions } from "../../src/run/Actions.ts"
import { Checkpoints } from "../../src/run/Checkpoints.ts"
import { Hub } from "../../src/session/Hub.ts"
import { SharedSessions } from "../../src/session/shared/SessionLog.ts"
import { Audit } from "../../src/storage/Audit.ts"
import { Files } from "../../src/storage/Files.ts"
import { Flows } from "../../src/storage/Flows.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { Runs } from "../../src/storage/Runs.ts"
import type { NewMessage, NewRecallChunk } from "../../src/storage/rows.ts"
import { StorageError } from "../../src/storage/StorageError.ts"
import { StorageHealth } from "../../src/storage/StorageHealth.ts"
import { Users } from "../../src/storage/Users.ts"
import { scriptedApps } from "../support/apps.ts"
import { TickerAtLeisure } from "../support/atLeisure.ts"
import { testBuilder } from "../support/builder.ts"
import { connect } from "../support/client.ts"
import { testSettings } from "../support/settings.ts"

const secret = "a secret that only this test knows, long enough"

export interface Answer {
  /** Of HTTP. */
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; null where it is not JSON. */
  readonly body: unknown
}

export interface Someone {
  readonly token: string
  readonly id: number
}

export interface Ask {
  readonly as?: Someone
  readonly headers?: Record<string, string>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: NonNullable<RequestInit["body"]>
  /** For a body that comes as a stream. */
  readonly duplex?: "half"
}

/** The value at a path of names and positions inside an answer's JSON. */
export const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>(
    (inner, name) =>
      typeof inner === "object" && inner !== null
        ? Object.entries(inner).find(([key]) => key === `${name}`)?.[1]
        : undefined,
    value
  )

export const textAt = (answer: Answer, ...path: ReadonlyArray<string | number>): string =>
  String(at(answer.body, "data", ...path))

/** How a success looks around its data. */
export const success = (data: unknown) => ({ status_code: 200, status_message: "SUCCESS", data })

/** Stores that a test can break: from then on the database does not answer, and nobody can be written down. */
const breakable = () => {
  let isUp = true
  const unplugged = Effect.suspend(() =>
    isUp ? Effect.void : Effect.fail(new StorageError({ operation: "test", cause: "unplugged" }))
  )
  return {
    breakStorage: () => {
      isUp = false
    },
    layer: Layer.merge(
      Layer.succeed(StorageHealth, { check: unplugged }),
      Layer.effect(
        Users,
        Effect.map(Users, (users) =>
          Users.of({ ...users, guest: (name) => Effect.zipRight(unplugged, users.guest(name)) })
        )
      )
    ).pipe(Layer.provideMerge(Memory))
  }
}

interface Extras {
  readonly settings?: Partial<SettingsShape>
  readonly pageFolder?: string
  readonly builder?: Layer.Layer<Builder>
}

export const startHttp = ({ settings: changes = {}, pageFolder, builder = testBuilder }: Extras = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "colloquy-http-" })
    const apps = yield* scriptedApps()
    const health = breakable()
    const settings = Settings.of({
      ...testSettings,
      dataDir,
      authSecret: Option.some(Redacted.make(secret)),
      ...changes
    })
    const lines: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.map(Logger.logfmtLogger, (line) => {
        lines.push(line)
      })
    )
    const layer = Hub.Live.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          Checkpoints.Live,
          TickerAtLeisure,
          SharedSessions,
          Peers.Live,
          Layer.succeed(Actions, Actions.table),
          apps.layer
        )
      ),
      Layer.provideMerge(Layer.mergeAll(Uploads.layer, Accounts.Live, Judge.Live)),
      Layer.provideMerge(TokensLive),
      Layer.provideMerge(health.layer),
      Layer.provideMerge(Layer.merge(BuildCache.Memory, builder)),
      Layer.provideMerge(Layer.succeed(OptionalRedis, Option.none())),
      Layer.provideMerge(Layer.succeed(Settings, settings)),
      Layer.provideMerge(Layer.succeed(PageFolder, pageFolder ?? `${dataDir}/no-page`)),
      Layer.provideMerge(NodeContext.layer),
      Layer.provideMerge(logger)
    )
    const context = yield* Layer.build(layer)
    const within = <A, E, R extends Layer.Layer.Success<typeof layer>>(effect: Effect.Effect<A, E, R>) =>
      Effect.orDie(Effect.provide(effect, context))

    const server = createServer()
    yield* Effect.gen(function* () {
      server.on("request", yield* NodeHttpServer.makeHandler(yield* httpApp))
      yield* serveSockets(server)
    }).pipe(Effect.provide(context), Effect.provide(logger))
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
    const bound = server.address()
    if (bound === null || typeof bound === "string") return yield* Effect.dieMessage("the server has no port")
    const origin = `http://127.0.0.1:${bound.port}`

    /** A path that begins with "//" is taken from the root, others from /api/v1. */
    const ask = (method: string, path: string, { as, headers = {}, json, body, duplex }: Ask = {}) =>
      Effect.promise(async (): Promise<Answer> => {
        const url = path.startsWith("//") ? `${origin}${path.slice(1)}` : `${origin}/api/v1${path}`
        const response = await fetch(url, {
          method,
          headers: {
            ...(as === undefined ? {} : { authorization: `Bearer ${as.token}` }),
            ...(json === undefined ? {} : { "content-type": "application/json" }),
            ...headers
          },
          ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
          ...(duplex === undefined ? {} : { duplex })
        })
        const text = await response.text()
        return { status: response.status, headers: response.headers, text, body: parsed(text) }
      })

    const get = (path: string, options: Ask = {}) => ask("GET", path, options)
    const post = (path: string, json?: unknown, options: Ask = {}) =>
      ask("POST", path, json === undefined ? options : { ...options, json })

    const signedIn = (answer: Answer): Someone => ({
      token: textAt(answer, "access_token"),
      id: Number(textAt(answer, "user_id"))
    })

    return {
      port: bound.port,
      origin,
      dataDir,
      health,
      /** What was logged so far. */
      lines,
      gate: apps.gate,
      ask,
      get,
      post,
      /** Registers and signs in. The first one of a server is its admin. */
      register: (name: string) =>
        Effect.map(post("/user/regist", { user_name: name, password: `the secret of ${name}` }), signedIn),
      guest: Effect.map(post("/user/guest"), signedIn),
      /** As a platform does that shares the secret; the user is not in our table. */
      minted: (claims: { readonly sub?: string; readonly exp?: number }, key = secret, alg = "HS256") =>
        Effect.promise(async (): Promise<Someone> => {
          const jwt = new SignJWT({ ...claims }).setProtectedHeader({ alg })
          return { token: await jwt.sign(new TextEncoder().encode(key)), id: 0 }
        }),
      /** A chat with one question and, unless said, one answer for each pair. */
      chat: (
        owner: Someone,
        chatId: string,
        rounds: ReadonlyArray<readonly [string, string]>,
        flowId: string
      ) =>
        within(
          Effect.forEach(rounds, ([question, reply], index) =>
            Effect.gen(function* () {
              const runs = yield* Runs
              const runId = `${chatId}-${index}`
              const said = (is_bot: boolean, message: string): NewMessage => ({
                is_bot,
                type: is_bot ? "end" : "question",
                category: is_bot ? "answer" : "question",
                message
              })
              yield* runs.accept({
                runId,
                action: "default",
                owner: "node-1",
                clientMsgId: null,
                payload: "",
                entry: { startNow: true, onBusy: "enqueue", maxQueued: 1 },
                session: {
                  chatId,
                  flowId,
                  flowType: 5,
                  flowName: "Echo",
                  name: "",
                  userId: owner.id,
                  ip: "127.0.0.1"
                },
                question: said(false, question)
              })
              yield* runs.finish(runId, {
                status: "done",
                error: "",
                promptTokens: 0,
                completionTokens: 0,
                messages: [said(true, reply)]
              })
            })
          )
        ),
      /** A question answered from passages; answers the ids of both. */
      answered: (
        owner: Someone,
        chatId: string,
        flowId: string,
        reply: string,
        passages: ReadonlyArray<NewRecallChunk>,
        files = ""
      ) =>
        within(
          Effect.gen(function* () {
            const runs = yield* Runs
            const runId = `${chatId}-answered`
            const { run } = yield* runs.accept({
              runId,
              action: "default",
              owner: "node-1",
              clientMsgId: null,
              payload: "",
              entry: { startNow: true, onBusy: "enqueue", maxQueued: 1 },
              session: {
                chatId,
                flowId,
                flowType: 5,
                flowName: "Echo",
                name: "",
                userId: owner.id,
                ip: "127.0.0.1"
              },
              question: { is_bot: false, type: "question", category: "question", message: "Which ratio?" }
            })
            const ids = yield* runs.finish(runId, {
              status: "done",
              error: "",
              promptTokens: 0,
              completionTokens: 0,
              messages: [{ is_bot: true, type: "end", category: "answer", message: reply, passages, files }]
            })
            return { question: run.question_id, answer: ids[0] ?? 0 }
          })
        ),
      audit: (objectId: string) =>
        within(
          Effect.map(
            Effect.flatMap(Audit, (store) => store.list({ objectId, limit: 100 })),
            (rows) => rows.map(({ action, userId }) => ({ action, userId }))
          )
        ),
      /** An app's data as the database has it. */
      stored: (flowId: string) =>
        within(
          Effect.map(
            Effect.flatMap(Flows, (store) => store.get(flowId)),
            Option.match({ onNone: () => null, onSome: ({ data }) => data })
          )
        ),
      /** A file that the server made for somebody; answers its id. */
      madeFile: (owner: Someone, flowId: string, chatId: string, content: string) =>
        within(
          Effect.gen(function* () {
            const uploads = yield* Uploads.Uploads
            const { id } = yield* uploads.saveMade({
              flowId,
              userId: owner.id,
              chatId,
              name: "report.txt",
              mediaType: "text/plain",
              bytes: new TextEncoder().encode(content)
            })
            return id
          })
        ),
      files: (flowId: string, userIds: ReadonlyArray<number>) =>
        within(Effect.flatMap(Files, (store) => store.ofFlow(flowId, userIds))),
      drain: within(Effect.flatMap(Hub, (hub) => hub.drain)),
      socket: (flowId: string, chatId: string, someone: Someone) =>
        Effect.orDie(
          connect(`ws://127.0.0.1:${bound.port}/api/v1/chat/${flowId}?chat_id=${chatId}&t=${someone.token}`)
        )
    }
  }).pipe(Effect.provide(NodeContext.layer))

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

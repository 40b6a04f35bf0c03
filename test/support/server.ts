/**
 * The gateway and everything behind it, in this process, on a real port, with memory storage and apps whose
 * steps the test decides. What a test looks up in the database it looks up in the stores themselves.
 */
import { createServer } from "node:http"
import type { Socket } from "node:net"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { SignJWT } from "jose"
import { Tokens } from "../../src/account/Tokens.ts"
import { TokensLive } from "../../src/account/TokensLive.ts"
import type { Catalogue } from "../../src/app/Catalogue.ts"
import { Judge } from "../../src/app/Judge.ts"
import { Settings, type SettingsShape } from "../../src/config.ts"
import { serveSockets } from "../../src/gateway/Gateway.ts"
import { type Patience, Peers } from "../../src/gateway/Peers.ts"
import { OptionalRedis } from "../../src/redis/Redis.ts"
import { Actions } from "../../src/run/Actions.ts"
import { Checkpoints } from "../../src/run/Checkpoints.ts"
import { Hub } from "../../src/session/Hub.ts"
import { SessionControl } from "../../src/session/SessionControl.ts"
import { SharedSessions } from "../../src/session/shared/SessionLog.ts"
import { Audit } from "../../src/storage/Audit.ts"
import { Messages } from "../../src/storage/Messages.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { Runs } from "../../src/storage/Runs.ts"
import { Sessions } from "../../src/storage/Sessions.ts"
import { scriptedApps } from "./apps.ts"
import { TickerAtLeisure } from "./atLeisure.ts"
import { connect } from "./client.ts"
import { testSettings } from "./settings.ts"

const secret = "a secret that only this test knows, long enough"

type Changes = Partial<Omit<SettingsShape, "runOrphanTimeout" | "drainTimeout">> & {
  /** Milliseconds. */
  readonly runOrphanTimeout?: number
  readonly drainTimeout?: number
}

interface Extensions {
  /** Of an earlier server, to go on with what it has stored. */
  readonly stores?: Context.Context<Layer.Layer.Success<typeof Memory>>
  /** Wraps the memory stores. */
  readonly runs?: Layer.Layer<Runs, never, Runs>
  readonly patience?: Patience
  readonly actions?: Layer.Layer<Actions>
  /** Wraps the scripted apps. */
  readonly catalogue?: Layer.Layer<Catalogue, never, Catalogue>
}

interface Where {
  /** Absent: debug mode. */
  readonly chat?: string
  readonly user?: number
  readonly query?: string
  readonly endpoint?: string
}

export const startServer = (changes: Changes = {}, extensions: Extensions = {}) =>
  Effect.gen(function* () {
    const apps = yield* scriptedApps()
    const settings = Settings.of({
      ...testSettings,
      authSecret: Option.some(Redacted.make(secret)),
      ...changes,
      runOrphanTimeout: Duration.decode(changes.runOrphanTimeout ?? testSettings.runOrphanTimeout),
      drainTimeout: Duration.decode(changes.drainTimeout ?? testSettings.drainTimeout)
    })
    const catalogue =
      extensions.catalogue === undefined ? apps.layer : Layer.provide(extensions.catalogue, apps.layer)
    const stores = extensions.stores === undefined ? Memory : Layer.succeedContext(extensions.stores)
    const storage = extensions.runs === undefined ? stores : Layer.provideMerge(extensions.runs, stores)
    const patience = extensions.patience ?? { pingEvery: 30, stall: 60 }
    const layer = Hub.Live.pipe(
      Layer.provideMerge(Layer.merge(Checkpoints.Live, Judge.Live)),
      Layer.provideMerge(
        Layer.mergeAll(
          TickerAtLeisure,
          SharedSessions,
          Peers.layer(patience),
          extensions.actions ?? Layer.succeed(Actions, Actions.table)
        )
      ),
      Layer.provideMerge(catalogue),
      Layer.provideMerge(storage),
      Layer.provideMerge(Layer.provide(TokensLive, NodeContext.layer)),
      Layer.provideMerge(Layer.succeed(OptionalRedis, Option.none())),
      Layer.provideMerge(Layer.succeed(Settings, settings)),
      // Defects that a test causes on purpose are nobody's news.
      Layer.provide(Logger.remove(Logger.defaultLogger))
    )
    const life = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const context = yield* Layer.buildWithScope(layer, life)
    const server = createServer()
    const lines = new Set<Socket>()
    server.on("connection", (line) => {
      lines.add(line)
      line.once("close", () => lines.delete(line))
    })
    yield* Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.async<void>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.void))
        }),
        () => Effect.sync(() => server.close())
      )
      yield* serveSockets(server)
      const hub = yield* Hub
      yield* Effect.addFinalizer(() => hub.drain)
    }).pipe(Effect.provide(context), Effect.provide(Logger.remove(Logger.defaultLogger)), Scope.extend(life))
    const bound = server.address()
    if (bound === null || typeof bound === "string") return yield* Effect.dieMessage("the server has no port")
    const { port } = bound
    const of = <A, E>(effect: Effect.Effect<A, E, Runs | Messages | Sessions | Audit | Tokens>) =>
      Effect.orDie(Effect.provide(effect, context))
    const token = (user: number) => of(Effect.flatMap(Tokens, (tokens) => tokens.mint(user, `user-${user}`)))
    const connectRaw = (path: string, headers: Record<string, string> = {}) =>
      connect(`ws://127.0.0.1:${port}${path}`, { headers })

    return {
      port,
      gate: apps.gate,
      /** A session's frames, as its sockets read them. */
      logOf: (flowId: string, chatId: string, user = 1) =>
        Effect.map(Context.get(context, Hub).openFor(life, { flowId, chatId }, user), ({ log }) => log),
      token,
      peerCount: () => Context.get(context, Peers).count(),
      /** The server's ends of its connections, the newest last. */
      lines: (): ReadonlyArray<Socket> => [...lines],
      connectRaw,
      /** A token that ends so many seconds from now, as a platform that shares the secret would mint it. */
      tokenFor: (seconds: number) =>
        Effect.promise(() =>
          new SignJWT({})
            .setProtectedHeader({ alg: "HS256" })
            .setSubject(JSON.stringify({ user_id: 1, user_name: "user-1" }))
            .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
            .sign(new TextEncoder().encode(secret))
        ),
      connect: (flowId: string, { chat, user = 1, query = "", endpoint = "chat" }: Where) =>
        Effect.flatMap(token(user), (t) =>
          Effect.orDie(
            connectRaw(
              `/api/v1/${endpoint}/${flowId}?t=${t}${chat === undefined ? "" : `&chat_id=${chat}`}${query}`
            )
          )
        ),
      /** The chat's rows, oldest first. */
      messages: (chatId: string) =>
        of(
          Effect.map(
            Effect.flatMap(Messages, (store) => store.page({ chatId, before: null, limit: 1000 })),
            (rows) => [...rows].reverse()
          )
        ),
      session: (chatId: string) => of(Effect.flatMap(Sessions, (store) => store.get(chatId))),
      run: (runId: string | undefined) =>
        of(Effect.flatMap(Runs, (store) => Effect.map(store.get(runId ?? ""), Option.getOrThrow))),
      audit: (objectId: string) => of(Effect.flatMap(Audit, (store) => store.list({ objectId, limit: 100 }))),
      isDraining: Context.get(context, SessionControl).draining,
      /** As the program does on SIGTERM; returns when all is down. */
      shutDown: Scope.close(life, Exit.void)
    }
  })

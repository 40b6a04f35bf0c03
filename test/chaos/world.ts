/** What a chaos run does things to: nodes, the stores they share, a model server, and the line that clients are on. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type MariaDb, mariaDb } from "../support/faults/mariadb.ts"
import { type ServerNode, serverNodes } from "../support/faults/nodes.ts"
import { proxy, type TcpProxy } from "../support/faults/proxy.ts"
import { type RedisServer, redisServer } from "../support/faults/redis.ts"
import { guest, newAssistant } from "../support/process.ts"
import { pacedUpstream } from "../support/upstream.ts"

export interface World {
  readonly nodes: ReadonlyArray<ServerNode>
  readonly redis: RedisServer
  readonly database: MariaDb
  readonly proxy: TcpProxy
  readonly flowId: string
  readonly token: string
  /** Everything as it was, and serving. */
  readonly heal: Effect.Effect<void, Error>
}

/** Longer than any answer. */
const drainTimeout = "5"

export const makeWorld = (options: {
  readonly nodes: number
  /** Another build of the program than `dist/main.js`. */
  readonly main?: string
}): Effect.Effect<World, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const redis = yield* redisServer()
    const database = yield* mariaDb
    const upstream = yield* Effect.mapError(pacedUpstream(), (error) => new Error(String(error)))
    const { main } = options
    const nodes = yield* serverNodes({
      count: options.nodes,
      databaseUrl: yield* database.freshDatabase,
      redisUrl: redis.url,
      upstreamUrl: upstream.url,
      env: { DRAIN_TIMEOUT: drainTimeout, LOG_FORMAT: "json" },
      ...(main === undefined ? {} : { main })
    })
    const [first] = nodes
    if (first === undefined) return yield* Effect.fail(new Error("at least one node is needed"))
    const token = yield* guest(first)
    const flowId = yield* newAssistant(first, token)
    const front = yield* proxy(nodes)
    const heal = Effect.gen(function* () {
      yield* redis.resume
      yield* database.resume
      yield* Effect.all([redis.start, database.start], { concurrency: "unbounded" })
      yield* front.unstall
      yield* front.throttle(null)
      yield* Effect.forEach(nodes, ({ sigcont, start }) => Effect.zipRight(sigcont, start), {
        concurrency: "unbounded",
        discard: true
      })
    })
    return { nodes, redis, database, proxy: front, flowId, token, heal }
  })

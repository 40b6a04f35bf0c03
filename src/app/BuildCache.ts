/**
 * Graphs on their way from the editor to debug mode: what is to be built, and how far it is. On Redis under
 * `flow_data_<flow_id>[_<version_id>]`, shared by all servers; without Redis in this process.
 *
 * Promises: entries expire (BUILD_CACHE_TTL); one builder at a time, whichever server it is on; a builder
 * that ends without a word, or whose server dies, leaves the entry to the next one once its lease is over.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import type { Settings } from "../config.ts"
import { OptionalRedis, Redis } from "../redis/Redis.ts"
import type { RedisError } from "../redis/RedisError.ts"
import { type BuildEntry, type Busy, fromStore, type Missing } from "./BuildCache/fromStore.ts"
import { memoryStore } from "./BuildCache/memoryStore.ts"
import { redisStore } from "./BuildCache/redisStore.ts"

/** What is built: an app, or one version of it. */
export interface BuildTarget {
  readonly flowId: string
  readonly versionId: number | null
}

export interface Claim {
  readonly graph: unknown
  /** false: the lease was lost to another builder, whose word counts. */
  readonly finish: (status: "success" | "failure") => Effect.Effect<boolean, RedisError>
}

export interface BuildCacheService {
  /** Keeps the graph to be built. false: a build is in progress, which is left alone. */
  readonly init: (target: BuildTarget, graph: unknown, userId: number) => Effect.Effect<boolean, RedisError>
  /**
   * Makes the caller the builder, for as long as the scope is open and until it finishes. Left unfinished, the
   * entry can be built again at once.
   */
  readonly claim: (target: BuildTarget) => Effect.Effect<Claim, Busy | Missing | RedisError, Scope>
  readonly read: (target: BuildTarget) => Effect.Effect<Option.Option<BuildEntry>, RedisError>
}

export class BuildCache extends Context.Tag("colloquy/BuildCache")<BuildCache, BuildCacheService>() {
  static readonly Memory: Layer.Layer<BuildCache, never, Settings> = Layer.effect(
    BuildCache,
    Effect.flatMap(memoryStore, (store) => fromStore(store))
  )

  static readonly Redis: Layer.Layer<BuildCache, never, Settings | Redis> = Layer.effect(
    BuildCache,
    Effect.flatMap(Redis, (redis) => fromStore(redisStore(redis)))
  )

  /** On Redis where there is one. */
  static readonly Live: Layer.Layer<BuildCache, never, Settings | OptionalRedis> = Layer.unwrapEffect(
    Effect.map(
      OptionalRedis,
      Option.match({
        onNone: () => BuildCache.Memory,
        onSome: (redis) => Layer.provide(BuildCache.Redis, Layer.succeed(Redis, redis))
      })
    )
  )
}

/** The build cache over a store: names of entries, JSON at the boundary, and the lease of whoever builds. */
import { randomUUID } from "node:crypto"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Settings } from "../../config.ts"
import { RedisError } from "../../redis/RedisError.ts"
import type { BuildCacheService, BuildTarget } from "../BuildCache.ts"
import type { BuildStatus, BuildStore } from "./Store.ts"

/** Somebody else builds this. */
export class Busy extends Data.TaggedError("BuildBusy") {}

/** Nothing was given to be built, or it has expired. */
export class Missing extends Data.TaggedError("BuildMissing") {}

export interface BuildEntry {
  readonly graph: unknown
  readonly userId: number
  readonly status: BuildStatus
  /** Differs for every build. */
  readonly edition: string
}

/** How long a builder that has vanished keeps others away. */
const usualLease = Duration.seconds(15)

export const entryName = ({ flowId, versionId }: BuildTarget): string =>
  versionId === null ? `flow_data_${flowId}` : `flow_data_${flowId}_${versionId}`

const decodeJson = Schema.decodeUnknown(Schema.parseJson())

export const fromStore = (
  store: BuildStore,
  lease: Duration.Duration = usualLease
): Effect.Effect<BuildCacheService, never, Settings> =>
  Effect.map(Settings, ({ buildCacheTtl }): BuildCacheService => {
    const ttl = Duration.toMillis(buildCacheTtl)
    const leaseMs = Duration.toMillis(lease)
    const parsed = (operation: string, text: string) =>
      Effect.mapError(decodeJson(text), (cause) => new RedisError({ operation, cause }))

    return {
      init: (target, graph, userId) =>
        store.init(entryName(target), { graph: JSON.stringify(graph ?? null), userId }, ttl),

      claim: (target) =>
        Effect.gen(function* () {
          const key = entryName(target)
          const builder = yield* Effect.sync(() => randomUUID())
          const claimed = yield* Effect.acquireRelease(store.claim(key, builder, leaseMs, ttl), (answer) =>
            // A builder that has finished owns nothing any more, and then this does nothing. Where Redis is
            // gone, the lease runs out.
            answer._tag === "Yours" ? Effect.ignore(store.finish(key, builder, "started", ttl)) : Effect.void
          )
          if (claimed._tag === "Busy") return yield* new Busy()
          if (claimed._tag === "Missing") return yield* new Missing()
          yield* store
            .renew(key, builder, leaseMs, ttl)
            .pipe(
              Effect.ignore,
              Effect.schedule(Schedule.spaced(Duration.millis(leaseMs / 3))),
              Effect.forkScoped
            )
          return {
            graph: yield* parsed("build.claim", claimed.graph),
            finish: (status) => store.finish(key, builder, status, ttl)
          }
        }),

      read: (target) =>
        Effect.flatMap(
          store.read(entryName(target)),
          Option.match({
            onNone: () => Effect.succeedNone,
            onSome: ({ graph, userId, status, builder }) =>
              Effect.map(parsed("build.read", graph), (graph) =>
                Option.some({ graph, userId, status, edition: builder })
              )
          })
        )
    }
  })

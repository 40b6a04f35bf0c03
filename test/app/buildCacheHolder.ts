/** Another server in the middle of a build: it holds the entry of this app until it is killed. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { fromStore } from "../../src/app/BuildCache/fromStore.ts"
import { redisStore } from "../../src/app/BuildCache/redisStore.ts"
import { Settings } from "../../src/config.ts"
import { Redis } from "../../src/redis/Redis.ts"

const flowId = process.argv[2] ?? ""

Effect.gen(function* () {
  const redis = yield* Layer.build(Redis.fromUrl(Redacted.make(process.env["REDIS_URL"] ?? "")))
  const cache = yield* fromStore(redisStore(Context.get(redis, Redis)), Duration.seconds(1))
  yield* cache.claim({ flowId, versionId: null })
  process.stdout.write("building\n")
  yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(Settings.Env), Effect.runPromise)

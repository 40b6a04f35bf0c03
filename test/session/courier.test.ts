/** Appends of many sessions travel to Redis together, and none of them suffers from another. */
import { expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Redis } from "../../src/redis/Redis.ts"
import { appending } from "../../src/session/shared/LogStore.ts"
import { makeRedisLogStore } from "../../src/session/shared/RedisLogStore.ts"
import { keptOf } from "./sim/bothStores.ts"

const redis = Effect.gen(function* () {
  const url = `${yield* Config.string("TEST_REDIS_URL")}?prefix=${crypto.randomUUID()}:`
  return Context.get(yield* Layer.build(Redis.fromUrl(Redacted.make(url))), Redis)
})

const fresh = { self: "a", dead: null, epoch: "e", seq: 0, known: { epoch: "", seq: 0 }, continues: false }

it.scopedLive("takes more than fits into one script, and has an answer for each", () =>
  Effect.gen(function* () {
    const store = yield* makeRedisLogStore(yield* redis)
    const keys = Array.from({ length: 300 }, (_, n) => `session ${n}`)
    const claimed = yield* Effect.forEach(keys, (key) => store.claim(key, fresh), { concurrency: 50 })
    const answers = yield* Effect.forEach(
      keys,
      (key, n) => {
        const own = claimed[n]
        const fence = own?._tag === "Yours" && n % 3 > 0 ? own.fence : "another"
        return appending(store, key, { fence, after: 0, last: 1, batch: `of ${n}`, running: true })
      },
      { concurrency: "unbounded" }
    )
    expect(answers.map(({ _tag }) => _tag)).toEqual(keys.map((_, n) => (n % 3 > 0 ? "Ok" : "Fenced")))
    expect((yield* keptOf(store, "session 299")).batches).toEqual(["of 299"])
    expect((yield* keptOf(store, "session 297")).batches).toEqual([])
  })
)

it.scopedLive("tells of the one session that Redis cannot append to, and appends to the others", () =>
  Effect.gen(function* () {
    const service = yield* redis
    const store = yield* makeRedisLogStore(service)
    const keys = ["before", "spoilt", "after"]
    const claimed = yield* Effect.forEach(keys, (key) => store.claim(key, fresh))
    yield* service.run("spoil", (client) => client.set(service.key("session:{spoilt}:log"), "no stream"))
    const [before, spoilt, after] = yield* Effect.forEach(
      keys,
      (key, n) => {
        const own = claimed[n]
        const fence = own?._tag === "Yours" ? own.fence : ""
        return Effect.either(
          appending(store, key, { fence, after: 0, last: 1, batch: "text", running: true })
        )
      },
      { concurrency: "unbounded" }
    )
    expect([before, after]).toEqual([Either.right({ _tag: "Ok" }), Either.right({ _tag: "Ok" })])
    const error = spoilt === undefined || Either.isRight(spoilt) ? null : spoilt.left
    expect(error?._tag).toBe("RedisError")
    expect(String(error?.cause)).toContain("WRONGTYPE")
  })
)

/** The log store as Redis keeps it and as the simulator does, and what can become of what they keep. */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Redis } from "../../../src/redis/Redis.ts"
import type { LogStoreService } from "../../../src/session/shared/LogStore.ts"
import { makeRedisLogStore } from "../../../src/session/shared/RedisLogStore.ts"
import { ModelStore } from "./ModelStore.ts"
import { type Carrier, storeService } from "./storeService.ts"

export interface Harness {
  readonly store: LogStoreService
  /** Nothing is kept of a session any more. */
  readonly lose: (key: string) => Effect.Effect<void>
  /** Its frames have expired; where it stands is still known. */
  readonly expire: (key: string) => Effect.Effect<void>
  /** Another process keeps the sessions from now on, with all that this one kept. */
  readonly move: (key: string) => Effect.Effect<void>
  /** The node said last that it lives when another process kept the nodes, whose clock was a minute ahead. */
  readonly ahead: (node: string) => Effect.Effect<void>
}

type Make = Effect.Effect<Harness, never, Scope.Scope>

const model: Make = Effect.sync(() => {
  const kept = new ModelStore(Date.now)
  const carrier: Carrier = {
    call: (_, carryOut) => Effect.sync(carryOut),
    send: (_, carryOut, answer) => queueMicrotask(() => answer(Either.right(carryOut()))),
    listen: (channel, listener) => kept.subscribe(channel, listener, queueMicrotask)
  }
  return {
    store: storeService(kept, carrier),
    lose: (key) => Effect.sync(() => kept.lose(key)),
    expire: (key) => Effect.sync(() => kept.expire(key)),
    move: () => Effect.sync(() => kept.failOver(0)),
    ahead: (node) => Effect.sync(() => kept.setBeat(node, Date.now() + 60_000))
  }
})

const url = Config.string("TEST_REDIS_URL").pipe(
  Effect.mapError(() => new Error("TEST_REDIS_URL is not set: run npm test, or node scripts/services.mjs"))
)

/** What is kept there, nobody else sees. `hash`: the name of a session's key. */
export const redisAt = (address: string) =>
  Effect.gen(function* () {
    const own = `${address}?prefix=${crypto.randomUUID()}:`
    const service = Context.get(yield* Layer.build(Redis.fromUrl(Redacted.make(own))), Redis)
    const hash = (key: string) => service.key(`session:{${key}}`)
    const stream = (key: string) => `${hash(key)}:log`
    return {
      hash,
      store: yield* makeRedisLogStore(service),
      lose: (key: string) =>
        Effect.orDie(Effect.asVoid(service.run("lose", (client) => client.del(hash(key), stream(key))))),
      expire: (key: string) =>
        Effect.gen(function* () {
          const kept = yield* service.run("look", (client) => client.hget(hash(key), "owner"))
          if (kept === "") yield* service.run("expire", (client) => client.del(stream(key)))
        }).pipe(Effect.orDie),
      // Redis is known by the id of its process, which is kept with each session.
      move: (key: string) =>
        Effect.gen(function* () {
          const known = yield* service.run("look", (client) => client.exists(hash(key)))
          if (known === 1) yield* service.run("move", (client) => client.hset(hash(key), "server", "gone"))
        }).pipe(Effect.orDie),
      ahead: (node: string) =>
        service
          .run("beat", (client) => client.zadd(service.key("nodes"), Date.now() + 60_000, node))
          .pipe(Effect.asVoid, Effect.orDie)
    }
  }).pipe(Effect.orDie)

const redis = Effect.flatMap(Effect.orDie(url), redisAt)

export const stores: ReadonlyArray<readonly [string, Make]> = [
  ["Redis", redis],
  ["the simulator", model]
]

export const bothStores = Effect.all([redis, model])

/** What is kept of a session, and a failure where nothing is. */
export const keptOf = (store: LogStoreService, key: string, after = 0) =>
  Effect.map(store.read(key, after), Option.getOrThrow)

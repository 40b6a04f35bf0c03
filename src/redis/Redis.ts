/**
 * Redis, for what several servers share. Optional: one server alone keeps such things in its memory.
 *
 * Promises: the server starts and stays up without an answer from Redis; a command takes at most
 * `commandTimeout`, and when too many are under way it fails at once; every failure is a `RedisError`. After
 * an outage or a failover commands work again by themselves.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { Settings } from "../config.ts"
import { readAddress } from "./address.ts"
import { type Client, makeClient } from "./client.ts"
import { RedisError } from "./RedisError.ts"
import { isUnknownScript, type Script } from "./Script.ts"

const commandTimeout = "3 seconds"
/** Commands that may be under way, waiting for a connection included. */
const maxPending = 10_000

export interface RedisService {
  /** Any command or several of one pipeline, in one round trip. `operation` names it in errors. */
  readonly run: <A>(operation: string, use: (client: Client) => Promise<A>) => Effect.Effect<A, RedisError>
  /** Runs a script by its hash; its text is sent only where the server does not know it yet. */
  readonly script: (
    script: Script,
    keys: ReadonlyArray<string>,
    args: ReadonlyArray<string | number>
  ) => Effect.Effect<unknown, RedisError>
  /** The key's name, under the prefix that the address names. */
  readonly key: (name: string) => string
  /** A connection of one's own, for subscriptions. Closed with the scope. */
  readonly connection: Effect.Effect<Client, never, Scope.Scope>
}

export class Redis extends Context.Tag("colloquy/redis/Redis")<Redis, RedisService>() {
  static readonly fromUrl = (url: Redacted.Redacted): Layer.Layer<Redis, RedisError> =>
    Layer.scoped(Redis, make(url))
}

/** Redis as the settings say; none where no REDIS_URL is set. */
export class OptionalRedis extends Context.Tag("colloquy/redis/OptionalRedis")<
  OptionalRedis,
  Option.Option<RedisService>
>() {
  /** Fails only where REDIS_URL makes no sense. */
  static readonly Live: Layer.Layer<OptionalRedis, RedisError, Settings> = Layer.scoped(
    OptionalRedis,
    Effect.flatMap(Settings, ({ redisUrl }) =>
      Option.match(redisUrl, {
        onNone: () => Effect.succeedNone,
        onSome: (url) => Effect.asSome(make(url))
      })
    )
  )
}

const make = (url: Redacted.Redacted): Effect.Effect<RedisService, RedisError, Scope.Scope> =>
  Effect.gen(function* () {
    const address = yield* Either.mapLeft(
      readAddress(Redacted.value(url)),
      (words) => new RedisError({ operation: "read REDIS_URL", cause: new Error(words) })
    )
    const connect = connected(() => makeClient(address))
    const { client, isUp } = yield* connect
    let pending = 0

    const bounded = <A>(operation: string, command: Effect.Effect<A, RedisError>) =>
      Effect.suspend(() => {
        if (pending >= maxPending) {
          return Effect.fail(new RedisError({ operation, cause: new Error("too many commands wait") }))
        }
        pending += 1
        return command.pipe(
          Effect.timeoutFail({
            duration: commandTimeout,
            onTimeout: () => new RedisError({ operation, cause: new Error("Redis does not answer") })
          }),
          Effect.ensuring(
            Effect.sync(() => {
              pending -= 1
            })
          )
        )
      })

    const send = <A>(operation: string, use: (client: Client) => Promise<A>) =>
      Effect.tryPromise({
        try: () => use(client),
        catch: (cause) => new RedisError({ operation, cause })
      })

    return {
      run: (operation, use) => bounded(operation, Effect.zipRight(isUp.await, send(operation, use))),
      script: (script, keys, args) =>
        bounded(
          script.name,
          Effect.zipRight(
            isUp.await,
            send(script.name, (redis) => redis.evalsha(script.hash, keys.length, ...keys, ...args))
          ).pipe(
            Effect.catchIf(isUnknownScript, () =>
              send(script.name, (redis) => redis.eval(script.lua, keys.length, ...keys, ...args))
            )
          )
        ),
      key: (name) => `${address.prefix}${name}`,
      connection: Effect.map(connect, (own) => own.client)
    }
  })

/** `isUp` is open while commands can be sent; whoever waits bounds the wait. The log hears of an outage once. */
const connected = (connect: () => Client) =>
  Effect.gen(function* () {
    const tell = Runtime.runFork(yield* Effect.runtime<never>())
    const isUp = yield* Effect.makeLatch(false)
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const client = connect()
        let isDown = false
        client.on("error", (error: Error) => {
          if (isDown) return
          isDown = true
          tell(Effect.logWarning(`Redis cannot be reached: ${error.message}`))
        })
        client.on("ready", () => {
          isUp.unsafeOpen()
          if (isDown) tell(Effect.logInfo("Redis answers again"))
          isDown = false
        })
        client.on("close", () => isUp.unsafeClose())
        return client
      }),
      (client) => Effect.sync(() => client.disconnect())
    )
    return { client, isUp }
  })

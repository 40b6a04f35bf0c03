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
import type { Client } from "./client.ts"
import { RedisError } from "./RedisError.ts"
import { isUnknownScript, type Script } from "./Script.ts"

/** Milliseconds. */
const commandTimeout = 3_000
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
  /** The same for whoever cannot afford an effect for each: `answer` is called once, in time. */
  readonly sendScript: (
    script: Script,
    keys: ReadonlyArray<string>,
    args: ReadonlyArray<string | number>,
    answer: (result: Either.Either<unknown, RedisError>) => void
  ) => void
  /** Whether keys of one script may belong to several hash slots. */
  readonly isWhole: boolean
  /** The key's name, under the prefix that the address names. */
  readonly key: (name: string) => string
  /** For subscriptions, which take a connection for themselves. Closed with the scope. */
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
    // A server that is alone does not need it, and starts sooner.
    const { makeClient } = yield* Effect.promise(() => import("./client.ts"))
    const connect = connected(() => makeClient(address))
    const connection = yield* connect
    let pending = 0

    // Ends in time wherever it is used: in a region that cannot be interrupted `Effect.timeout` waits for ever.
    const send = <A>(
      operation: string,
      use: (client: Client) => Promise<A>,
      answer: (result: Either.Either<A, RedisError>) => void
    ): (() => void) => {
      const failure = (cause: unknown) => Either.left(new RedisError({ operation, cause }))
      if (pending >= maxPending) {
        answer(failure(new Error("too many commands wait")))
        return () => undefined
      }
      pending += 1
      let isOver = false
      let forget = (): void => undefined
      const close = (): void => {
        if (isOver) return
        isOver = true
        clearTimeout(timer)
        forget()
        pending -= 1
      }
      const end = (result: Either.Either<A, RedisError>): void => {
        if (isOver) return
        close()
        answer(result)
      }
      const timer = setTimeout(() => end(failure(new Error("Redis does not answer"))), commandTimeout)
      forget = connection.whenUp(() => {
        use(connection.client).then(
          (value) => end(Either.right(value)),
          (cause) => end(failure(cause))
        )
      })
      return close
    }
    const bounded = <A>(operation: string, use: (client: Client) => Promise<A>) =>
      Effect.async<A, RedisError>((resume) => Effect.sync(send(operation, use, resume)))
    const evaluate =
      ({ hash, lua }: Script, keys: ReadonlyArray<string>, args: ReadonlyArray<string | number>) =>
      (redis: Client): Promise<unknown> =>
        redis.evalsha(hash, keys.length, ...keys, ...args).catch((cause) => {
          if (!isUnknownScript(cause)) throw cause
          return redis.eval(lua, keys.length, ...keys, ...args)
        })

    return {
      run: bounded,
      script: (script, keys, args) => bounded(script.name, evaluate(script, keys, args)),
      sendScript: (script, keys, args, answer) => {
        send(script.name, evaluate(script, keys, args), answer)
      },
      isWhole: address.kind !== "cluster",
      key: (name) => `${address.prefix}${name}`,
      // A Cluster's client has connections of their own for what is sharded; with commands it learns at once where slots are.
      connection:
        address.kind === "cluster"
          ? Effect.succeed(connection.client)
          : Effect.map(connect, ({ client }) => client)
    }
  })

/**
 * `whenUp` calls at once or when commands can be sent again, unless it is told to forget that. The log hears of an
 * outage once.
 */
const connected = (connect: () => Client) =>
  Effect.gen(function* () {
    const tell = Runtime.runFork(yield* Effect.runtime<never>())
    let isUp = false
    const waiting = new Set<() => void>()
    const whenUp = (then: () => void): (() => void) => {
      if (isUp) then()
      else waiting.add(then)
      return () => waiting.delete(then)
    }
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
          isUp = true
          if (isDown) tell(Effect.logInfo("Redis answers again"))
          isDown = false
          const all = [...waiting]
          waiting.clear()
          for (const then of all) then()
        })
        client.on("close", () => {
          isUp = false
        })
        return client
      }),
      (client) => Effect.sync(() => client.disconnect())
    )
    return { client, whenUp }
  })

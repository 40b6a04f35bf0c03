/**
 * What this node hears from others, and says to them. On one server, or behind Sentinels, on one connection for all
 * channels. In a Cluster a channel belongs to the server that has its slot (sharded pub/sub), and there is a connection to
 * each: what is said on it goes to that server alone, where a plain channel's words go to all of them.
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { Client } from "../../redis/client.ts"
import type { RedisService } from "../../redis/Redis.ts"
import type { RedisError } from "../../redis/RedisError.ts"
import type { Listener } from "./LogStore.ts"
import { listenersScript } from "./redisScripts.ts"

export interface Channels {
  readonly listen: (channel: string, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  /** Nobody answers for its arrival. `operation` names it in errors. */
  readonly say: (operation: string, channel: string, text: string) => Effect.Effect<void, RedisError>
  /** The channel's name, and how many nodes listen. `neighbour`: a key that has its slot. */
  readonly listeners: (channel: string, neighbour: string) => Effect.Effect<unknown, RedisError>
}

/** Who subscribes. It is done when the client is ready, and done anew when it is again. */
interface Subscriber {
  /** Names that somebody listens to and that are not subscribed, as far as is known. */
  readonly add: (names: ReadonlyArray<string>) => void
  readonly remove: (name: string) => void
  readonly renew: () => void
}

export const makeChannels = (redis: RedisService): Effect.Effect<Channels, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client: Client = yield* redis.connection
    const scope = yield* Effect.scope
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const listeners = new Map<string, Set<Listener>>()
    const began = (names: Iterable<string>) => {
      for (const name of names) for (const listener of listeners.get(name) ?? []) listener.began()
    }
    const tried: Subscribing["tried"] = (done, then, otherwise) => {
      done.then(then, (cause: unknown) => {
        fork(Effect.logDebug("a subscription failed", cause))
        otherwise?.()
      })
    }
    const later = (then: () => void) => {
      fork(Effect.delay(Effect.sync(then), "1 second"), { scope })
    }
    const make = redis.isWhole ? onOneServer : onEachServer
    const subscriber = make({ client, names: () => [...listeners.keys()], began, tried, later })
    const heard = (channel: string, text: string) => {
      for (const listener of listeners.get(channel) ?? []) listener.heard(text)
    }
    client.on(redis.isWhole ? "message" : "smessage", heard)
    client.on("ready", subscriber.renew)

    return {
      listen: (channel, listener) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const known = listeners.get(channel)
            if (known !== undefined) {
              known.add(listener)
              return
            }
            listeners.set(channel, new Set([listener]))
            if (client.status === "ready") subscriber.add([channel])
          }),
          () =>
            Effect.sync(() => {
              const known = listeners.get(channel)
              known?.delete(listener)
              if (known === undefined || known.size > 0) return
              listeners.delete(channel)
              if (client.status === "ready") subscriber.remove(channel)
            })
        ),
      say: (operation, channel, text) =>
        Effect.asVoid(
          redis.run(operation, (client) =>
            redis.isWhole ? client.publish(channel, text) : client.spublish(channel, text)
          )
        ),
      // As a script, because a command without a key goes to any server of a Cluster.
      listeners: (channel, neighbour) =>
        redis.isWhole
          ? redis.run("count listeners", (client) => client.call("PUBSUB", "NUMSUB", channel))
          : redis.script(listenersScript, [neighbour], [channel])
    }
  })

interface Subscribing {
  readonly client: Client
  /** All that somebody listens to. */
  readonly names: () => ReadonlyArray<string>
  /** Listening to these has begun, or begun again. */
  readonly began: (names: Iterable<string>) => void
  readonly tried: (done: Promise<unknown>, then: () => void, otherwise?: () => void) => void
  readonly later: (then: () => void) => void
}

/**
 * A new connection knows of no subscription. Only when it is made is it known when listening has begun again. What fails
 * fails with its connection, and is done again with the next one.
 */
const onOneServer = ({ client, names, began, tried }: Subscribing): Subscriber => {
  const add = (some: ReadonlyArray<string>) => {
    if (some.length > 0) tried(client.subscribe(...some), () => began(some))
  }
  return {
    add,
    remove: (name) => tried(client.unsubscribe(name), () => undefined),
    renew: () => add(names())
  }
}

/**
 * The client subscribes again by itself when slots or connections have moved, to all that it was ever told and not told to leave.
 * So each name is said once, and what was left while it was away is said when it is back.
 */
const onEachServer = ({ client, names, began, tried, later }: Subscribing): Subscriber => {
  const told = new Set<string>()
  let isRetrying = false
  // The client may not have got as far as to take note of it.
  const retry = () => {
    if (isRetrying) return
    isRetrying = true
    later(() => {
      isRetrying = false
      if (client.status === "ready") add(names())
    })
  }
  // One command for each: names of one command belong to one slot.
  const add = (some: ReadonlyArray<string>) => {
    for (const name of some) {
      if (told.has(name)) continue
      told.add(name)
      const failed = () => {
        told.delete(name)
        retry()
      }
      tried(client.ssubscribe(name), () => began([name]), failed)
    }
  }
  const remove = (name: string) => {
    told.delete(name)
    tried(client.sunsubscribe(name), () => undefined)
  }
  // What was said on the way there was not heard.
  client.on("subscribersReady", () => began(told))
  return {
    add,
    remove,
    renew: () => {
      const wanted = names()
      const kept = new Set(wanted)
      for (const name of [...told]) if (!kept.has(name)) remove(name)
      add(wanted)
    }
  }
}

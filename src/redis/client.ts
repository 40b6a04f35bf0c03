/** ioredis, set up so that nothing ever waits in it: a command goes out on a live connection or fails. */
import { Cluster, Redis as Single } from "ioredis"
import type { Address } from "./address.ts"

export type Client = Single | Cluster

/** Milliseconds. */
const connectTimeout = 5_000
const longestPause = 2_000
/** A connection that does not answer is given up, with what was sent on it: nothing piles up behind it. */
const socketTimeout = 6_000

/** Tries for ever, at a growing pace. */
const pause = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 10), longestPause)

/** Connects in the background; `ready` is told by the client's event. */
export const makeClient = (address: Address): Client => {
  const options = {
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
    connectTimeout,
    socketTimeout,
    // A command that was under way when the connection broke may have been carried out: its caller is told,
    // and decides. Nothing is sent again behind its back.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false
  }
  switch (address.kind) {
    case "single":
      return new Single({
        ...options,
        ...address.at,
        db: address.db,
        ...together,
        enableOfflineQueue: false,
        retryStrategy: pause,
        reconnectOnError: isDemoted
      })
    case "sentinel":
      return new Single({
        ...options,
        sentinels: [...address.sentinels],
        name: address.master,
        db: address.db,
        ...(address.sentinelPassword === null ? {} : { sentinelPassword: address.sentinelPassword }),
        ...(address.tls ? { enableTLSForSentinelMode: true } : {}),
        ...together,
        enableOfflineQueue: false,
        retryStrategy: pause,
        sentinelRetryStrategy: pause,
        reconnectOnError: isDemoted
      })
    case "cluster":
      return new Cluster([...address.nodes], {
        redisOptions: options,
        shardedSubscribers: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: pause
      })
  }
}

/**
 * What looks at many sessions in one turn of the event loop goes out as one pipeline. Not in a Cluster, where the client takes
 * the hash of a script for its key. And not what somebody waits for: such a pipeline leaves at the end of the turn, and not
 * before the one that left before it is answered.
 */
const together = {
  enableAutoPipelining: true,
  autoPipeliningIgnoredCommands: ["evalsha", "eval", "publish", "PUBSUB", "ping"]
}

/** The server is a replica now: the connection is made anew, to whoever is the master. */
const isDemoted = (error: Error): boolean => error.message.startsWith("READONLY")

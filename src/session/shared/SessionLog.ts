/** Gives each session the lease that fits: its own where this node is alone, a shared one among several. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { OptionalRedis } from "../../redis/Redis.ts"
import type { FrameLog } from "../FrameLog.ts"
import { alone, type Lease } from "./Lease.ts"
import type { LeaseUser } from "./LeaseUser.ts"
import { LogStore, type LogStoreService } from "./LogStore.ts"
import { Nodes } from "./Nodes.ts"
import { makeRedisLogStore } from "./RedisLogStore.ts"
import { SharedLease } from "./SharedLease.ts"

export const newEpoch = () => crypto.randomUUID().slice(0, 8)

export interface SessionLease {
  readonly lease: Lease
  readonly end: () => void
}

export interface SessionLogService {
  /**
   * `key` names the session on every node. What the lease does by itself ends with the scope, where it is to be told
   * (`end`). `user` is asked for where the session is shared.
   */
  readonly leaseOf: (scope: Scope.Scope, key: string, log: FrameLog, user: () => LeaseUser) => SessionLease
  /** Waits until all that was written is told and no lease is held; not for ever. */
  readonly atRest: Effect.Effect<void>
}

/** What is on its way to the other nodes when this one stops is there soon, or never. */
const restWithin = "5 seconds"

export class SessionLog extends Context.Tag("colloquy/session/SessionLog")<SessionLog, SessionLogService>() {
  static readonly Live = Layer.scoped(
    SessionLog,
    Effect.flatMap(LogStore, (store) =>
      Option.match(store, {
        onNone: () => Effect.succeed({ leaseOf: () => unshared, atRest: Effect.void }),
        onSome: shared
      })
    )
  )
}

/** Of a session that no other node can know. */
export const unshared: SessionLease = { lease: alone, end: () => undefined }

/** Sessions looked at in one go for what was not heard. */
const atOnce = 200

const shared = (store: LogStoreService) =>
  Effect.gen(function* () {
    const nodes = yield* Nodes
    const leases = new Map<string, SharedLease>()
    const fork = yield* FiberSet.makeRuntime<never>()

    /** A channel may lose what is said on it: who follows looks from time to time whether that is all. */
    const lookAround = Effect.gen(function* () {
      const following = [...leases.values()].filter(({ isFollowing }) => isFollowing)
      for (let i = 0; i < following.length; i += atOnce) {
        const some = following.slice(i, i + atOnce)
        const known = yield* store.glance(some.map(({ key }) => key))
        for (const [j, lease] of some.entries()) lease.compare(known[j] ?? null)
      }
    }).pipe(Effect.catchAll((error) => Effect.logDebug("sessions could not be compared", error.cause)))
    yield* lookAround.pipe(Effect.repeat(Schedule.spaced("2 seconds")), Effect.forkScoped)

    const service: SessionLogService = {
      atRest: Effect.sync(() => [...leases.values()].every(({ isAtRest }) => isAtRest)).pipe(
        Effect.repeat({ until: (quiet) => quiet, schedule: Schedule.spaced("20 millis") }),
        // Called while the server shuts down, where nothing can be interrupted unless it says so.
        Effect.interruptible,
        Effect.timeoutOption(restWithin),
        Effect.asVoid
      ),
      leaseOf: (scope, key, log, user) => {
        const lease = new SharedLease({
          store,
          key,
          log,
          newEpoch,
          nodes,
          user: user(),
          scope,
          fork
        })
        leases.set(key, lease)
        const end = () => {
          lease.close()
          leases.delete(key)
        }
        return { lease, end }
      }
    }
    return service
  })

/** On Redis where there is one. */
const LogStoreLive = Layer.scoped(
  LogStore,
  Effect.flatMap(OptionalRedis, (redis) =>
    Option.match(redis, {
      onNone: () => Effect.succeedNone,
      onSome: (service) => Effect.asSome(makeRedisLogStore(service))
    })
  )
)

/** What sessions need of the other nodes. */
export const SharedSessions = SessionLog.Live.pipe(
  Layer.provideMerge(Nodes.Live),
  Layer.provide(LogStoreLive)
)

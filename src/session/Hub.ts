/**
 * All live sessions of this node, found or made by (user, app, chat), kept while anyone holds them and for a
 * while after, so that a client that lost its socket finds its frames again. Other nodes may have the same
 * session; what they share of it is the lease and the log.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import { Catalogue } from "../app/Catalogue.ts"
import { Judge } from "../app/Judge.ts"
import { Settings } from "../config.ts"
import { type AppError, NotYours } from "../protocol/errors.ts"
import type { Address } from "../protocol/frames.ts"
import { Actions } from "../run/Actions.ts"
import { Checkpoints } from "../run/Checkpoints.ts"
import { storedJournals } from "../run/Journal.ts"
import { unsavedJournal } from "../run/unsavedJournal.ts"
import { Runs } from "../storage/Runs.ts"
import type { MessageSession } from "../storage/rows.ts"
import { Sessions } from "../storage/Sessions.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { ended, makeCaretaker } from "./caretaker.ts"
import { FrameLog } from "./FrameLog.ts"
import { LiveSessions } from "./LiveSessions.ts"
import { makeSession, type RunSlots, type SessionOptions } from "./makeSession.ts"
import type { Session, StopScope } from "./Session.ts"
import { SessionControl } from "./SessionControl.ts"
import { alone, type Lease } from "./shared/Lease.ts"
import { Nodes } from "./shared/Nodes.ts"
import { newEpoch, SessionLog } from "./shared/SessionLog.ts"
import type { LeaseUser } from "./shared/SharedLease.ts"
import { Ticker } from "./Ticker.ts"

/** How long a session's frames are kept after its last run and socket. */
const keepIdle = "5 minutes"

/** Idle sessions at most; beyond it the one that has been idle longest is dropped. */
const maxSessions = 20_000

export interface HubService {
  /**
   * The session of this user in this chat, held until the scope closes. Fails with `NotYours` when the chat
   * is another user's, another app's, or deleted.
   */
  readonly open: (
    address: Address,
    userId: number
  ) => Effect.Effect<Session, NotYours | StorageError, Scope.Scope>
  /** A session of this scope alone, of which nothing is kept (debug mode). */
  readonly openPrivate: (
    address: Address,
    userId: number,
    app: Effect.Effect<App, AppError | StorageError>,
    /** The app as the client draws it at this moment. */
    draft: (data: unknown) => Effect.Effect<App, AppError | StorageError>
  ) => Effect.Effect<Session, never, Scope.Scope>
  /** Ends what an earlier life of this node has left, and goes on with what waits. Answers how many runs it was. */
  readonly recover: Effect.Effect<number, StorageError>
  /** No new runs from here on; those in progress get `drainTimeout`, then they are stopped and stored. */
  readonly drain: Effect.Effect<void>
  readonly activeRuns: () => number
}

/**
 * The epoch of a session of which no frames are kept: the same on every node and after a restart as long as
 * nothing happens in it, so that a client that has missed nothing is told so.
 */
const epochOf = (row: Option.Option<MessageSession>): string =>
  Option.match(row, {
    onNone: () => "new",
    onSome: ({ update_time }) => `at-${update_time.getTime().toString(36)}`
  })

class Key extends Data.Class<{ readonly userId: number; readonly flowId: string; readonly chatId: string }> {}

export class Hub extends Context.Tag("colloquy/Hub")<Hub, HubService>() {
  static readonly Live = Layer.scopedContext(
    Effect.gen(function* () {
      const settings = yield* Settings
      const catalogue = yield* Catalogue
      const checkpoints = yield* Checkpoints
      const actions = yield* Actions
      const ticker = yield* Ticker
      const judge = yield* Judge
      const nodes = yield* Nodes
      const sessionLog = yield* SessionLog
      const sessions = yield* Sessions
      const runs = yield* Runs
      const journalOf = yield* storedJournals
      const live = new LiveSessions()
      let running = 0
      let draining = false

      const slots: RunSlots = {
        take: () => {
          if (draining || running >= settings.maxRuns) return false
          running += 1
          return true
        },
        hold: () => {
          running += 1
        },
        release: () => {
          running -= 1
        }
      }

      const make = (
        address: Address,
        userId: number,
        epoch: string,
        own: Pick<SessionOptions, "journal" | "openApp" | "draft" | "retain">,
        leaseOf: (log: FrameLog, user: LeaseUser) => Effect.Effect<Lease, never, Scope.Scope>
      ) =>
        Effect.gen(function* () {
          const log = new FrameLog({ epoch, address, onDirty: ticker.schedule })
          const lease = yield* leaseOf(log, {
            onDeposed: Effect.suspend(() => session.depose),
            epochNow: Effect.map(sessions.get(address.chatId), epochOf),
            statusHere: (runId) =>
              Effect.map(runs.get(runId), (run) =>
                Option.isSome(run) && run.value.owner === nodes.self ? run.value.status : null
              ),
            onForgotten: Effect.suspend(() => session.takeOver(null))
          })
          const session: Session = yield* makeSession({
            ...own,
            address,
            userId,
            log,
            lease,
            self: nodes.self,
            askAt: nodes.ask,
            isDead: nodes.isDead,
            draining: () => draining,
            actions,
            judge,
            checkpoints,
            slots,
            maxQueued: settings.maxQueuedRuns,
            orphanTimeout: settings.runOrphanTimeout,
            waitLimit: settings.inputWaitLimit
          })
          yield* live.add(session)
          return session
        })

      const lookup = (key: Key): Effect.Effect<Session, NotYours | StorageError, Scope.Scope> =>
        Effect.gen(function* () {
          const row = yield* sessions.get(key.chatId)
          if (Option.isSome(row) && (row.value.user_id !== key.userId || row.value.flow_id !== key.flowId)) {
            return yield* new NotYours({ what: "chat" })
          }
          const { flowId, chatId, userId } = key
          return yield* make(
            { flowId, chatId },
            userId,
            epochOf(row),
            {
              journal: () => journalOf(chatId),
              openApp: catalogue.open(flowId),
              retain: Effect.orDie(RcMap.get(rcMap, key))
            },
            (log, user) => sessionLog.leaseOf(`${userId}:${flowId}:${chatId}`, log, user)
          )
        })

      const rcMap: RcMap.RcMap<Key, Session, NotYours | StorageError> = yield* RcMap.make({
        lookup,
        idleTimeToLive: keepIdle
      }).pipe(Effect.mapInputContext((all: Context.Context<Scope.Scope>) => Context.pick(Scope.Scope)(all)))

      /** Of the idle ones the map hands out keys oldest first: insertion order. */
      const bounded = Effect.gen(function* () {
        if (live.size < maxSessions) return
        for (const key of yield* RcMap.keys(rcMap)) {
          const idle = live
            .of(key.chatId)
            .every((session) => session.running() === null && session.log.readerCount === 0)
          if (idle) return yield* RcMap.invalidate(rcMap, key)
        }
      })

      const open: HubService["open"] = (address, userId) => {
        const key = new Key({ userId, ...address })
        // The map makes a session twice where two fibers give way within `get`: with a fresh budget of steps they do not.
        return bounded.pipe(
          Effect.zipRight(Effect.yieldNow()),
          Effect.zipRight(RcMap.get(rcMap, key)),
          // The map would remember a failure for as long as a session.
          Effect.tapError(() => RcMap.invalidate(rcMap, key))
        )
      }

      const openPrivate: HubService["openPrivate"] = (address, userId, app, draft) =>
        make(
          address,
          userId,
          newEpoch(),
          { journal: unsavedJournal, openApp: app, draft, retain: Effect.void },
          () => Effect.succeed(alone)
        )

      const stopAll = (group: ReadonlyArray<Session>, scope: StopScope) =>
        Effect.forEach(group, (session) => session.stop(scope), {
          concurrency: "unbounded",
          discard: true
        })

      const drained = Effect.repeat(
        Effect.sync(() => running === 0),
        { until: (quiet) => quiet, schedule: Schedule.spaced("50 millis") }
      )

      const drain = Effect.gen(function* () {
        draining = true
        // Called while the server shuts down, where nothing can be interrupted unless it says so.
        yield* drained.pipe(Effect.interruptible, Effect.timeoutOption(settings.drainTimeout))
        yield* stopAll(live.all, "drain")
        yield* sessionLog.atRest
      })

      const forget = (chatId: string) =>
        Effect.gen(function* () {
          yield* stopAll(live.of(chatId), "all")
          // Where no session is live a run may still wait for its person.
          const waiting = yield* runs.waiting(chatId)
          if (Option.isSome(waiting)) yield* runs.finish(waiting.value.run.id, ended)
          for (const key of yield* RcMap.keys(rcMap)) {
            if (key.chatId === chatId) yield* RcMap.invalidate(rcMap, key)
          }
        })

      const caretaker = yield* makeCaretaker({
        runs,
        nodes,
        live,
        open,
        waitLimit: settings.inputWaitLimit,
        draining: () => draining
      })

      yield* nodes.serve(({ flowId, chatId, userId, scope, runId }) =>
        Effect.gen(function* () {
          if (scope === "look") {
            const look = Effect.flatMap(open({ flowId, chatId }, userId), (session) => session.look)
            return yield* Effect.isSuccess(Effect.scoped(look))
          }
          const here = live
            .of(chatId)
            .find((session) => session.userId === userId && session.address.flowId === flowId)
          return here === undefined ? false : yield* here.stop(scope, runId)
        })
      )

      return Context.make(Hub, {
        open,
        openPrivate,
        recover: caretaker.recover,
        drain,
        activeRuns: () => running
      }).pipe(Context.add(SessionControl, { forget, draining: Effect.sync(() => draining) }))
    })
  )
}

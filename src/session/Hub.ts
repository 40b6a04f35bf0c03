/**
 * All live sessions of this node, found or made by (user, app, chat), kept while anyone holds them and for a
 * while after, so that a client that lost its socket finds its frames again. Other nodes may have the same
 * session; what they share of it is the lease and the log.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
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
import { type Ending, Runs } from "../storage/Runs.ts"
import type { MessageSession, Run } from "../storage/rows.ts"
import { Sessions } from "../storage/Sessions.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { FrameLog } from "./FrameLog.ts"
import { makeSession, type RunSlots, type SessionOptions } from "./makeSession.ts"
import type { Session, StopScope } from "./Session.ts"
import { SessionControl } from "./SessionControl.ts"
import { alone, type Lease } from "./shared/Lease.ts"
import { Nodes } from "./shared/Nodes.ts"
import { newEpoch, SessionLog } from "./shared/SessionLog.ts"
import type { LeaseUser } from "./shared/SharedLease.ts"
import { Ticker } from "./Ticker.ts"
import { whileOpen } from "./whileOpen.ts"

/** How long a session's frames are kept after its last run and socket. */
const keepIdle = "5 minutes"

/** Idle sessions at most; beyond it the one that has been idle longest is dropped. */
const maxSessions = 20_000

const forgotten: Ending = { status: "stopped", error: "", promptTokens: 0, completionTokens: 0, messages: [] }

/** Runs that have waited too long and are ended in one go. */
const overdueAtOnce = 100

/** How often this node looks for runs that are nobody's. */
const lookEvery = "1 second"

/** Sessions that are taken over at the same time. */
const takenOverAtOnce = 16

/** A run of this node's that nothing here runs is on its way to its start or end, unless it stays so. */
const strayAfter = Duration.seconds(10)

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
      const live = new Map<string, ReadonlyArray<Session>>()
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
          yield* register(session)
          return session
        })

      /** Known by its chat until the scope closes, for `forget` and `drain`. */
      const register = (session: Session) =>
        whileOpen(
          Effect.sync(() => {
            const { chatId } = session.address
            live.set(chatId, [...(live.get(chatId) ?? []), session])
          }),
          () =>
            Effect.sync(() => {
              const { chatId } = session.address
              const others = (live.get(chatId) ?? []).filter((other) => other !== session)
              if (others.length === 0) live.delete(chatId)
              else live.set(chatId, others)
            })
        )

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
          const group = live.get(key.chatId)
          const idle = [...(group ?? [])].every(
            (session) => session.running() === null && session.log.readerCount === 0
          )
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

      const stopAll = (group: Iterable<Session>, scope: StopScope) =>
        Effect.forEach([...group], (session) => session.stop(scope), {
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
        yield* stopAll(
          [...live.values()].flatMap((group) => [...group]),
          "drain"
        )
        yield* sessionLog.atRest
      })

      const forget = (chatId: string) =>
        Effect.gen(function* () {
          yield* stopAll(live.get(chatId) ?? [], "all")
          // Where no session is live a run may still wait for its person.
          const waiting = yield* runs.waiting(chatId)
          if (Option.isSome(waiting)) yield* runs.finish(waiting.value.run.id, forgotten)
          for (const key of yield* RcMap.keys(rcMap)) {
            if (key.chatId === chatId) yield* RcMap.invalidate(rcMap, key)
          }
        })

      /** Opens the session of a run for a moment, for what has to be done there. */
      const inSessionOf = (run: Run, use: (session: Session) => Effect.Effect<void>) =>
        open({ flowId: run.flow_id, chatId: run.chat_id }, run.user_id).pipe(
          Effect.flatMap(use),
          Effect.catchTag("NotYours", () =>
            // Its chat was deleted meanwhile.
            Effect.asVoid(runs.finish(run.id, forgotten))
          ),
          Effect.scoped
        )

      /** Ends what has waited too long. */
      const endOverdue = Effect.gen(function* () {
        for (const { run } of yield* runs.overdue(overdueAtOnce)) {
          yield* inSessionOf(run, (session) => session.expire(run.id))
        }
      }).pipe(
        Effect.catchAll((error) =>
          Effect.logWarning("runs that wait for a reply could not be looked through", error.cause)
        )
      )
      const often = Duration.clamp(Duration.times(settings.inputWaitLimit, 0.1), {
        minimum: "100 millis",
        maximum: "30 seconds"
      })
      yield* endOverdue.pipe(Effect.repeat(Schedule.spaced(often)), Effect.forkScoped)

      const isRunHere = (run: Run) =>
        (live.get(run.chat_id) ?? []).some((session) =>
          run.status === "queued" ? session.running() !== null : session.running() === run.id
        )

      const takeOver = (run: Run) =>
        inSessionOf(run, (session) => (run.status === "running" ? session.takeOver(run.id) : session.resume))

      const takeOverAll = (runs: ReadonlyArray<Run>) =>
        Effect.forEach(runs, takeOver, { concurrency: takenOverAtOnce, discard: true })

      /** Runs of nodes that are gone, and of this one that nothing here runs. */
      const strays = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const isOld = ({ create_time, start_time }: Run) =>
          now - (start_time ?? create_time).getTime() > Duration.toMillis(strayAfter)
        const found: Array<Run> = []
        for (const owner of yield* runs.owners) {
          const isOwn = owner === nodes.self
          if (!isOwn && !nodes.isDead(owner)) continue
          const unfinished = yield* runs.unfinished(owner)
          found.push(...unfinished.filter((run) => !isOwn || (isOld(run) && !isRunHere(run))))
        }
        return found
      })

      /** Sessions that are followed here while the node that runs them is gone, or this one has lost their lease. */
      const orphaned = () =>
        [...live.values()].flat().filter((session) => {
          const { status, owner } = session.log.standing
          if (status !== "running") return false
          return nodes.isDead(owner) || (owner === nodes.self && session.running() === null)
        })

      const look = Effect.gen(function* () {
        if (draining) return
        yield* takeOverAll(yield* strays)
        yield* Effect.forEach(orphaned(), (session) => session.takeOver(null), {
          concurrency: takenOverAtOnce,
          discard: true
        })
      }).pipe(Effect.catchAll((error) => Effect.logWarning("lost runs could not be looked for", error.cause)))
      yield* look.pipe(Effect.delay(lookEvery), Effect.forever, Effect.forkScoped)

      const recover = Effect.gen(function* () {
        const owners = yield* runs.owners
        const left = yield* Effect.forEach(
          owners.filter((owner) => owner === nodes.self || nodes.isDead(owner)),
          runs.unfinished
        )
        yield* takeOverAll(left.flat())
        return left.flat().length
      })

      yield* nodes.serve(({ flowId, chatId, userId, scope, runId }) =>
        Effect.gen(function* () {
          if (scope === "look") {
            const look = Effect.flatMap(open({ flowId, chatId }, userId), (session) => session.look)
            return yield* Effect.isSuccess(Effect.scoped(look))
          }
          const here = live
            .get(chatId)
            ?.find((session) => session.userId === userId && session.address.flowId === flowId)
          return here === undefined ? false : yield* here.stop(scope, runId)
        })
      )

      return Context.make(Hub, { open, openPrivate, recover, drain, activeRuns: () => running }).pipe(
        Context.add(SessionControl, { forget, draining: Effect.sync(() => draining) })
      )
    })
  )
}

/**
 * All live sessions of this node, found or made by (user, app, chat), kept while anyone holds them and for a
 * while after, so that a client that lost its socket finds its frames again. Other nodes may have the same
 * session; what they share of it is the lease and the log.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
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
import { KeptSessions } from "./KeptSessions.ts"
import { LiveSessions } from "./LiveSessions.ts"
import { makeSession, type NodeOptions, type RunSlots, type SessionOwn, slotsOf } from "./makeSession.ts"
import { sharedRetention } from "./retention.ts"
import type { Session, StopScope } from "./Session.ts"
import { SessionControl } from "./SessionControl.ts"
import type { LeaseUser } from "./shared/LeaseUser.ts"
import { Nodes } from "./shared/Nodes.ts"
import { newEpoch, type SessionLease, SessionLog, unshared } from "./shared/SessionLog.ts"
import { spokenSince } from "./spokenSince.ts"
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
  /** The same, held by `holder`: who has a scope at hand need not put it where `open` looks for it, 22 steps. */
  readonly openFor: (
    holder: Scope.Scope,
    address: Address,
    userId: number
  ) => Effect.Effect<Session, NotYours | StorageError>
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
      const retention = sharedRetention(() => live.size)
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

      const node: NodeOptions = {
        self: nodes.self,
        askAt: nodes.ask,
        isDead: nodes.isDead,
        draining: () => draining,
        headStarts: slotsOf(settings.maxHeadStarts),
        actions,
        judge,
        checkpoints,
        slots,
        maxQueued: settings.maxQueuedRuns,
        orphanTimeout: settings.runOrphanTimeout,
        waitLimit: settings.inputWaitLimit
      }

      const make = (
        scope: Scope.Scope,
        address: Address,
        userId: number,
        epoch: string,
        own: SessionOwn,
        leaseOf: (log: FrameLog, user: () => LeaseUser) => SessionLease
      ): Effect.Effect<Session> => {
        const log = new FrameLog({ epoch, address, onDirty: ticker.schedule, retention })
        let session: Session | null = null
        const inSession = (use: (session: Session) => Effect.Effect<void>) =>
          Effect.suspend(() => (session === null ? Effect.void : use(session)))
        const { lease, end } = leaseOf(log, () => ({
          onDeposed: inSession((it) => it.depose),
          epochNow: Effect.map(sessions.get(address.chatId), epochOf),
          statusHere: (runId) =>
            Effect.map(runs.get(runId), (run) =>
              Option.isSome(run) && run.value.owner === nodes.self ? run.value.status : null
            ),
          spokenSince: (since, runId) =>
            spokenSince(runs, { chatId: address.chatId, self: nodes.self, since, runId }),
          onWanted: inSession((it) => it.resume),
          onForgotten: inSession((it) => it.takeOver(null))
        }))
        const made = makeSession(scope, node, { address, userId, log, lease, own })
        session = made
        live.add(made)
        // Not by `acquireRelease`, which keeps all fiber refs of the fiber that acquired, for the release to run under.
        const over = Effect.sync(() => {
          live.remove(made)
          end()
        })
        return Effect.as(Scope.addFinalizer(scope, over), made)
      }

      const kept = yield* KeptSessions.make<Session>({ keepIdle, most: maxSessions })

      /** What a session has whose messages are stored. A class: every idle session keeps one. */
      class Stored implements SessionOwn {
        private readonly key: string
        private readonly address: Address

        constructor(key: string, address: Address) {
          this.key = key
          this.address = address
        }

        journal() {
          return journalOf(this.address.chatId)
        }

        get openApp() {
          return catalogue.open(this.address.flowId)
        }

        get retain() {
          return kept.retain(this.key)
        }
      }

      const openFor: HubService["openFor"] = (holder, address, userId) => {
        const key = `${userId}:${address.flowId}:${address.chatId}`
        const openNew = () =>
          Effect.flatMap(sessions.get(address.chatId), (row) => {
            const theirs = Option.isSome(row) ? row.value : null
            if (theirs !== null && (theirs.user_id !== userId || theirs.flow_id !== address.flowId)) {
              return new NotYours({ what: "chat" })
            }
            return kept.holdFor(holder, key, (scope) =>
              make(scope, address, userId, epochOf(row), new Stored(key, address), (log, user) =>
                sessionLog.leaseOf(scope, key, log, user)
              )
            )
          })
        return Effect.suspend(() =>
          kept.has(key)
            ? Effect.flatMap(kept.findFor(holder, key), (known) =>
                known === null ? openNew() : Effect.succeed(known)
              )
            : openNew()
        )
      }

      const open: HubService["open"] = (address, userId) =>
        Effect.flatMap(Effect.scope, (holder) => openFor(holder, address, userId))

      const openPrivate: HubService["openPrivate"] = (address, userId, app, draft) =>
        Effect.uninterruptible(
          Effect.flatMap(Effect.scope, (scope) =>
            make(
              scope,
              address,
              userId,
              newEpoch(),
              { journal: unsavedJournal, openApp: app, draft, retain: Effect.succeed(Effect.void) },
              () => unshared
            )
          )
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
        yield* stopAll([...live.all()], "drain")
        yield* sessionLog.atRest
      })

      const forget = (chatId: string) =>
        Effect.gen(function* () {
          yield* stopAll(live.of(chatId), "all")
          // Where no session is live a run may still wait for its person.
          const waiting = yield* runs.waiting(chatId)
          if (Option.isSome(waiting)) yield* runs.finish(waiting.value.run.id, ended)
          yield* kept.drop(({ address }) => address.chatId === chatId)
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
        openFor,
        openPrivate,
        recover: caretaker.recover,
        drain,
        activeRuns: () => running
      }).pipe(Context.add(SessionControl, { forget, draining: Effect.sync(() => draining) }))
    })
  )
}

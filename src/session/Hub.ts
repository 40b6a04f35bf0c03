/**
 * All live sessions of this node, found or made by (user, app, chat), kept while anyone holds them and for a
 * while after, so that a client that lost its socket finds its frames again.
 */
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
import { type Journal, storedJournals, unsavedJournal } from "../run/Journal.ts"
import { type Ending, Runs } from "../storage/Runs.ts"
import { Sessions } from "../storage/Sessions.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { FrameLog } from "./FrameLog.ts"
import { makeSession, type RunSlots, type SessionOptions } from "./makeSession.ts"
import type { Session, StopScope } from "./Session.ts"
import { SessionControl } from "./SessionControl.ts"
import { Ticker } from "./Ticker.ts"
import { whileOpen } from "./whileOpen.ts"

/** How long a session's frames are kept after its last run and socket. */
const keepIdle = "5 minutes"

/** Idle sessions at most; beyond it the one that has been idle longest is dropped. */
const maxSessions = 20_000

const forgotten: Ending = { status: "stopped", error: "", promptTokens: 0, completionTokens: 0, messages: [] }

/** Runs that have waited too long and are ended in one go. */
const overdueAtOnce = 100

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
    app: Effect.Effect<App, AppError | StorageError>,
    /** The app as the client draws it at this moment. */
    draft: (data: unknown) => Effect.Effect<App, AppError | StorageError>
  ) => Effect.Effect<Session, never, Scope.Scope>
  /** No new runs from here on; those in progress get `drainTimeout`, then they are stopped and stored. */
  readonly drain: Effect.Effect<void>
  readonly activeRuns: () => number
}

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

      const common = (address: Address, journal: () => Journal) =>
        Effect.sync(
          (): Omit<SessionOptions, "openApp" | "draft" | "retain"> => ({
            address,
            journal,
            actions,
            judge,
            checkpoints,
            slots,
            log: new FrameLog({
              epoch: crypto.randomUUID().slice(0, 8),
              address,
              onDirty: ticker.schedule
            }),
            nodeId: settings.nodeId,
            maxQueued: settings.maxQueuedRuns,
            orphanTimeout: settings.runOrphanTimeout,
            waitLimit: settings.inputWaitLimit
          })
        )

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
          const session = yield* makeSession({
            ...(yield* common({ flowId: key.flowId, chatId: key.chatId }, () => journalOf(key.chatId))),
            openApp: catalogue.open(key.flowId),
            retain: Effect.orDie(RcMap.get(rcMap, key))
          })
          yield* register(session)
          return session
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
            (session) => session.activeRun() === null && session.log.readerCount === 0
          )
          if (idle) return yield* RcMap.invalidate(rcMap, key)
        }
      })

      const open: HubService["open"] = (address, userId) => {
        const key = new Key({ userId, ...address })
        return Effect.zipRight(bounded, RcMap.get(rcMap, key)).pipe(
          // The map would remember a failure for as long as a session.
          Effect.tapError(() => RcMap.invalidate(rcMap, key))
        )
      }

      const openPrivate: HubService["openPrivate"] = (address, app, draft) =>
        Effect.gen(function* () {
          const session = yield* makeSession({
            ...(yield* common(address, unsavedJournal)),
            openApp: app,
            draft,
            retain: Effect.void
          })
          yield* register(session)
          return session
        })

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

      /** Ends what has waited too long, here where a session is live, else in the database alone. */
      const endOverdue = Effect.gen(function* () {
        for (const { run } of yield* runs.overdue(overdueAtOnce)) {
          yield* Effect.forEach(live.get(run.chat_id) ?? [], (session) => session.expire(run.id))
          // Nothing happens where a session has ended it already.
          yield* runs.finish(run.id, {
            status: "failed",
            error: "no reply came in time",
            promptTokens: 0,
            completionTokens: 0,
            messages: []
          })
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

      return Context.make(Hub, { open, openPrivate, drain, activeRuns: () => running }).pipe(
        Context.add(SessionControl, { forget, draining: Effect.sync(() => draining) })
      )
    })
  )
}

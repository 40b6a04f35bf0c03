/**
 * The questions of one session: which is being answered, which wait, what ends them. What a session promises
 * stands at `Session`; most sessions are open without a question, so this is made for the first one.
 *
 * The queue is in the database, where every node sees it; the node that holds the session's lease takes the
 * next question from it. Where a question is accepted by another node while this one runs the session, it is
 * found at the end of the run.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { App } from "../app/App.ts"
import {
  type AppError,
  InvalidInput,
  NotYours,
  Overloaded,
  QueueFull,
  RunFailed,
  SessionBusy
} from "../protocol/errors.ts"
import { type Frame, frame } from "../protocol/frames.ts"
import type { Ask, OnBusy, Reply } from "../protocol/payloads.ts"
import type { Action } from "../run/Actions.ts"
import { fillingActions, type KnownRun } from "../run/Journal.ts"
import type { Parked as Asked } from "../run/recorder.ts"
import { unseen } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SessionOptions } from "./makeSession.ts"
import { encodeKept, findParked, maxReplies } from "./parked.ts"
import { Runner } from "./Runner.ts"
import type { AskError, Asker, AskOutcome, ReplyOutcome, Session, StopScope } from "./Session.ts"
import { endLost } from "./takeover.ts"
import { decodePayload, echoOf, encodePayload, type Payload, type Turn, turnOf } from "./turn.ts"

const newRunId = Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))

/** What must be done for an accepted question is tried until the database answers. */
const untilDone = Schedule.union(Schedule.exponential("50 millis"), Schedule.spaced("2 seconds"))

/** A lease that is just being given back by another node is waited for. */
const soon = Schedule.intersect(Schedule.spaced("20 millis"), Schedule.recurs(50))

/** How often another node is asked to stop what it runs. */
const stopAttempts = 8

export interface Turns
  extends Pick<
    Session,
    "ask" | "reply" | "checkStatus" | "expire" | "stop" | "clearHistory" | "resume" | "takeOver" | "depose"
  > {
  readonly running: () => string | null
  /** To be run when a socket has come or gone. */
  readonly watchOrphan: Effect.Effect<void>
}

const entries: Readonly<Record<OnBusy, "enqueue" | "reject" | "front">> = {
  enqueue: "enqueue",
  reject: "reject",
  interrupt: "front",
  rollback: "front"
}

/** Runs live in `scope`; `sockets` says how many are following here. */
export const makeTurns = (options: SessionOptions, scope: Scope.Scope, sockets: () => number): Turns => {
  const { address, log, lease, slots } = options
  const journal = options.journal()
  const permit = Effect.unsafeMakeSemaphore(1).withPermits(1)
  /** Taken out of the queue, and not yet told so. */
  const cancelled: Array<KnownRun> = []
  /** Of the latest run here, so that a reply that comes again after its end is still known. */
  let replied: ReadonlyArray<string> = []
  let replacing = false
  let orphan: Fiber.RuntimeFiber<void> | null = null

  /** In debug mode the graph that came with the latest start; a reply is for the same. */
  let draft: App | null = null
  const openApp = Effect.suspend(() => (draft === null ? options.openApp : Effect.succeed(draft)))

  const appFor = (ask: Ask): Effect.Effect<App, AppError | StorageError> => {
    const data = ask.inputs["data"]
    if (options.draft === undefined || ask.action !== "workflow" || data === undefined) return openApp
    return Effect.tap(options.draft(data), (app) =>
      Effect.sync(() => {
        draft = app
      })
    )
  }

  /** Clients ask or fill in a form; that the app answers with a document is the app's affair. */
  const actionFor = (name: string, app: App): Action | undefined => {
    const writes = app.report !== undefined && (name === "default" || name === "auto_file")
    return (writes ? options.actions["report"] : undefined) ?? options.actions[name]
  }

  const insist = <A, E>(what: string, effect: Effect.Effect<A, E>): Effect.Effect<A> =>
    effect.pipe(
      Effect.tapError((cause) => Effect.logWarning(`${what}: tried again`, cause)),
      Effect.retry(untilDone),
      Effect.orDie
    )

  const park = (turn: Turn, { state, prompts }: Asked): Effect.Effect<void, StorageError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      journal.park(turn.runId, {
        state: encodeKept({
          inputs: turn.inputs,
          text: turn.echo.message,
          state,
          prompts,
          replies: turn.replies
        }),
        until: new Date(now + Duration.toMillis(options.waitLimit))
      })
    )

  /**
   * Questions that will not run are told as begun and closed, so that no client waits for them; between
   * runs, so that their `close` is never taken for another's.
   */
  const tellCancelled = Effect.suspend(() => {
    const told = cancelled.splice(0)
    if (told.length === 0) return Effect.void
    return Effect.flatMap(Effect.either(openApp), (opened) =>
      Effect.sync(() => {
        for (const run of told)
          tellUnstarted(
            run,
            Either.getOrElse(opened, () => null),
            null
          )
      })
    )
  })

  /** The whole life of a run that will not start. */
  const tellUnstarted = (run: KnownRun, app: App | null, error: AppError | null): void => {
    const { runId, userId, payload } = run
    log.beginRun(runId, options.self)
    runner
      .recorderFor({ runId, userId, kind: app?.kind ?? "assistant" })
      .tellUnstarted(echoOf(run, decodePayload(payload).text), error)
    log.endRun("idle")
  }

  const runner: Runner = new Runner({
    session: options,
    journal,
    scope,
    park,
    beforeEnd: tellCancelled,
    onEnd: Effect.suspend(() => {
      if (lease.term() === 0) return Effect.sync(slots.release)
      return Effect.flatMap(next(true), (started) =>
        started
          ? Effect.void
          : Effect.zipRight(Effect.sync(slots.release), Effect.asVoid(Effect.forkIn(settle, scope)))
      )
    })
  })

  /** Starts the next question of the queue, if there is one. */
  const next = (hasSlot: boolean): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      for (;;) {
        if (options.draining() || replacing) return false
        const run = yield* insist("taking the next question", journal.dequeue(options.self))
        if (Option.isNone(run)) return false
        if (!(yield* begin(run.value))) continue
        if (!hasSlot) slots.hold()
        return true
      }
    })

  /** A question that was waiting. false: its app does not answer any more, and it is told so. */
  const begin = (run: KnownRun): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      const opened = yield* Effect.either(
        Effect.retry(openApp, { schedule: untilDone, while: (error) => error._tag === "StorageError" })
      )
      const app = Either.getOrElse(opened, () => null)
      const action = app === null ? undefined : actionFor(run.action, app)
      if (app !== null && action !== undefined) {
        yield* start(turnOf(run, action, app, decodePayload(run.payload)))
        return true
      }
      const error = Either.isLeft(opened) && opened.left._tag !== "StorageError" ? opened.left : null
      yield* insist("ending a run", journal.finish(run.runId, unstarted(error?._tag ?? "")))
      tellUnstarted(run, app, error)
      return false
    })

  const start = (turn: Turn): Effect.Effect<void> =>
    Effect.gen(function* () {
      const { action, app, inputs, userId, echo, runId, rollback } = turn
      if (rollback !== null) yield* insist("a rollback", journal.rollback(rollback))
      // A question instead of the reply that was waited for.
      yield* endParked(app, Exit.interrupt(FiberId.none))
      replied = []
      const request = {
        runId,
        chatId: address.chatId,
        app,
        text: echo.message,
        inputs,
        userId,
        journal,
        past: journal.past(runId),
        mayRead: (fileIds: ReadonlyArray<string>) => options.judge.mayRead(fileIds, userId)
      }
      yield* runner.launch(turn, action.run(request), (recorder) => recorder.begin(echo))
      yield* watchOrphan
    })

  const parkedOf = (app: App) => findParked(app, journal, options.actions)

  /** Ends the run that waits: its end is told like any other's. To be done by whoever holds the lease. */
  const endParked = (app: App, exit: Exit.Exit<never, RunFailed>): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      if (app.resume === undefined) return false
      const parked = yield* insist("looking for a run that waits", parkedOf(app))
      if (parked === null) return false
      yield* runner.recorderOf(parked.turn).finish(exit, [], () => Effect.void)
      if (lease.term() !== 0) log.endRun("idle")
      return true
    })

  /** Holds the lease for `use`; false where another node does. It is given back where nothing was started. */
  const holding = (use: Effect.Effect<void>): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      if (!(yield* lease.hold)) return false
      yield* use
      yield* Effect.forkIn(settle, scope)
      return true
    })

  /**
   * Gives the lease back when nothing runs. A question that was accepted meanwhile, by a node that found the
   * lease taken, must not be left lying.
   */
  const settle: Effect.Effect<void> = Effect.gen(function* () {
    yield* lease.delivered
    const released = yield* permit(
      Effect.gen(function* () {
        if (runner.active !== null || lease.term() === 0) return false
        if (yield* resumeQueue) return false
        yield* lease.letGo
        return true
      })
    )
    if (released) yield* resume
  }).pipe(Effect.interruptible)

  /** Starts what waits, as the holder of the lease and of the permit. */
  const resumeQueue: Effect.Effect<boolean> = Effect.suspend(() => {
    return runner.active !== null ? Effect.succeed(true) : next(false)
  }).pipe(Effect.uninterruptible)

  /** Starts what waits, where nobody runs the session. */
  const resume: Effect.Effect<void> = Effect.gen(function* () {
    if (options.draining()) return
    if (yield* journal.waits) yield* permit(holding(Effect.asVoid(resumeQueue)))
  }).pipe(Effect.catchAll((error) => Effect.logWarning("the queue could not be read", error.cause)))

  /** While a run goes on without any socket its time is limited. */
  const watchOrphan: Effect.Effect<void> = Effect.suspend(() => {
    const before = orphan
    orphan = null
    const called = before === null ? Effect.void : Fiber.interruptFork(before)
    const { active } = runner
    if (sockets() > 0 || active === null) return called
    const patience = active.turn.app.onDisconnect === "cancel" ? 0 : options.orphanTimeout
    const watch = Effect.delay(lease.followedElsewhere, patience).pipe(
      Effect.repeat({ while: (followed) => followed, schedule: Schedule.spaced("5 seconds") }),
      Effect.zipRight(runner.interrupt(active.turn.runId)),
      Effect.asVoid,
      Effect.interruptible,
      Effect.forkIn(scope)
    )
    return Effect.zipRight(
      called,
      Effect.map(watch, (fiber) => {
        orphan = fiber
      })
    )
  })

  /** The begin frame of a question that was accepted before. */
  const repeated = (run: KnownRun, app: App, text: string): Frame => {
    const { active } = runner
    const known = active !== null && active.turn.runId === run.runId ? active.begin : null
    if (known !== null) {
      const { seq: _, ...begin } = known
      return begin
    }
    const frames = runner.projectionOf({ runId: run.runId, kind: app.kind, userId: run.userId })
    return { ...frames.begin(echoOf(run, text)), extra: JSON.stringify({ status: run.status }) }
  }

  const ask = (ask: Ask, asker: Asker): Effect.Effect<AskOutcome, AskError> =>
    Effect.gen(function* () {
      const app = yield* appFor(ask)
      const action = actionFor(ask.action, app)
      if (action === undefined) {
        return yield* new InvalidInput({ reason: `unknown action "${ask.action}"` })
      }
      const text = action.silent === true ? "" : action.question(ask.inputs, app)
      if (text === null) {
        return yield* new InvalidInput({
          reason: `inputs.${app.inputKey} must be a text that is not empty`
        })
      }
      if (ask.clientMsgId !== null) {
        const before = yield* journal.find(ask.clientMsgId)
        if (Option.isSome(before)) return yield* again(before.value, action, app, text)
      }
      // What it stored is stored before the question that takes its place.
      const rollback = ask.onBusy === "rollback" ? log.standing.runId : null
      if (entries[ask.onBusy] === "front") yield* makeWay
      return yield* admitted((isIdle, isHeld) =>
        Effect.gen(function* () {
          const payload = { inputs: ask.inputs, text, rollback }
          const accepted = yield* accept(app, ask, asker, payload, isHeld)
          if (!accepted.fresh) {
            return { _tag: "Repeated" as const, begin: repeated(accepted.run, app, text) }
          }
          const replaced = accepted.ahead.find(({ status }) => status === "running")
          if (entries[ask.onBusy] === "front" && replaced !== undefined) {
            yield* stopRun(replaced)
          }
          return yield* enter(turnOf(accepted.run, action, app, payload), accepted, isIdle)
        })
      )
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          replacing = false
        })
      ),
      permit,
      Effect.uninterruptible
    )

  /** Ends the run in progress; what waits must not begin before the question that replaces it. */
  const makeWay = Effect.suspend(() => {
    const { status, owner, runId } = log.standing
    if (runner.active !== null) {
      replacing = true
      return runner.interrupt(null)
    }
    return status === "running" && owner !== options.self
      ? stopElsewhere("run", runId)
      : Effect.succeed(false)
  })

  /**
   * Takes a slot and the lease where nothing runs, for a question that is about to be accepted. What was not
   * used is given back. A session that another node runs needs neither.
   */
  const admitted = <E>(
    use: (isIdle: boolean, isHeld: boolean) => Effect.Effect<AskOutcome, E>
  ): Effect.Effect<AskOutcome, E | Overloaded> =>
    Effect.gen(function* () {
      const isHeld = yield* lease.hold
      const isIdle = isHeld && runner.active === null
      if (isIdle && !slots.take()) return yield* new Overloaded({ retryAfterMs: 1000 })
      return yield* Effect.onExit(use(isIdle, isHeld), (exit) =>
        Effect.suspend(() => {
          const started = Exit.isSuccess(exit) && exit.value._tag === "Begun"
          if (isIdle && !started) slots.release()
          return isHeld && !started ? Effect.asVoid(Effect.forkIn(settle, scope)) : Effect.void
        })
      )
    })

  /** Starts the question, or lets it wait when a run is in progress. */
  const enter = (
    turn: Turn,
    { run, ahead }: { readonly run: KnownRun; readonly ahead: ReadonlyArray<KnownRun> },
    hasSlot: boolean
  ): Effect.Effect<AskOutcome> =>
    Effect.gen(function* () {
      const begun = { _tag: "Begun" as const, runId: turn.runId }
      if (run.status !== "running") {
        if (runner.active?.turn.runId === turn.runId) return begun
        const position = ahead.filter(({ status }) => status === "queued").length + 1
        return { _tag: "Queued" as const, runId: turn.runId, position }
      }
      // The run it would have waited for has ended in the database, and has yet to be brought to its end here.
      if (!hasSlot) {
        while (runner.active !== null) yield* runner.ended
        slots.hold()
      }
      yield* start(turn)
      return begun
    })

  /** A question that came before: its run is told of again; one that broke off and can go on does so. */
  const again = (
    run: KnownRun,
    action: Action,
    app: App,
    text: string
  ): Effect.Effect<AskOutcome, AskError> =>
    Effect.gen(function* () {
      const brokeOff = run.status === "stopped" || run.status === "failed" || run.status === "lost"
      if (action.continues === true && brokeOff && (yield* journal.reopen(run.runId, options.self))) {
        yield* Effect.forkIn(settleOrResume, scope)
        return { _tag: "Queued", runId: run.runId, position: 1 }
      }
      return { _tag: "Repeated", begin: repeated(run, app, text) }
    })

  const settleOrResume = Effect.suspend(() => (lease.term() === 0 ? resume : settle))

  const accept = (app: App, ask: Ask, asker: Asker, payload: Payload, startNow: boolean) =>
    Effect.flatMap(newRunId, (runId) =>
      journal.accept({
        runId,
        action: ask.action,
        owner: options.self,
        clientMsgId: ask.clientMsgId,
        payload: encodePayload(payload),
        entry: { startNow, onBusy: entries[ask.onBusy], maxQueued: options.maxQueued },
        session: {
          chatId: address.chatId,
          flowId: address.flowId,
          flowType: app.flowType,
          flowName: app.name,
          name: payload.text === "" ? app.name : titleOf(payload.text),
          userId: asker.userId,
          ip: asker.ip
        },
        question:
          options.actions[ask.action]?.silent === true
            ? { is_bot: false, type: "over", category: unseen, message: "" }
            : {
                is_bot: false,
                type: "over",
                category: "question",
                message: payload.text,
                ...(fillingActions.includes(ask.action)
                  ? { extra: JSON.stringify({ inputs: ask.inputs }) }
                  : {})
              }
      })
    ).pipe(
      Effect.catchTags({
        SessionTaken: () => new NotYours({ what: "chat" }),
        ChatBusy: () => new SessionBusy(),
        ChatFull: ({ limit }) => new QueueFull({ limit })
      })
    )

  const reply = (reply: Reply, asker: Asker): Effect.Effect<ReplyOutcome, AskError> =>
    Effect.gen(function* () {
      const app = yield* openApp
      const id = reply.clientMsgId
      const nothingWaits = new InvalidInput({
        reason: "no run of this chat waits for a reply; it has ended, or has not asked yet"
      })
      if (id !== null && replied.includes(id)) {
        return { _tag: "Repeated" as const, runId: log.standing.runId ?? "" }
      }
      const parked = yield* parkedOf(app)
      if (parked === null || app.resume === undefined || runner.active !== null) return yield* nothingWaits
      const { turn, prompts, state } = parked
      if (id !== null && turn.replies.includes(id)) {
        return { _tag: "Repeated" as const, runId: turn.runId }
      }
      const fits = app.resume.accept(state, reply)
      if (Either.isLeft(fits)) return yield* new InvalidInput({ reason: fits.left })
      // The node that asked may not have given the lease back yet.
      yield* Effect.repeat(lease.hold, { until: (held) => held, schedule: soon })
      const held = yield* lease.hold
      if (!held || !slots.take()) return yield* new Overloaded({ retryAfterMs: 1000 })
      const { text } = fits.right
      const giveBack = Effect.zipRight(Effect.sync(slots.release), Effect.forkIn(settle, scope))
      const stored = yield* journal
        .resume(
          turn.runId,
          { is_bot: false, type: "over", category: "question", message: text },
          options.self
        )
        .pipe(Effect.onError(() => giveBack))
      if (Option.isNone(stored)) {
        yield* giveBack
        return yield* nothingWaits
      }
      replied = id === null ? turn.replies : [...turn.replies.slice(1 - maxReplies), id]
      const { resume } = app
      const events = Stream.unwrap(
        Effect.map(journal.memory, (history) =>
          resume.run(state, reply, {
            text: turn.echo.message,
            inputs: turn.inputs,
            userId: turn.userId,
            history
          })
        )
      )
      const echo = { message_id: stored.value, message: text, user_id: asker.userId, client_msg_id: id }
      const open = prompts.filter((prompt) => !answers(reply, prompt))
      yield* runner.launch({ ...turn, app, replies: replied, open }, events, (recorder) => {
        recorder.goOn(echo)
        return null
      })
      yield* watchOrphan
      return { _tag: "Taken" as const, runId: turn.runId }
    }).pipe(permit, Effect.uninterruptible)

  const checkStatus = Effect.gen(function* () {
    if (runner.active !== null || log.standing.status === "running") return []
    const parked = yield* parkedOf(yield* openApp)
    if (parked === null) return [frame(address, "close", "processing")]
    // From before this server started, perhaps.
    if (log.standing.status === "idle" && runner.active === null) log.endRun("waiting")
    return parked.prompts
  })

  const expire = (runId: string): Effect.Effect<void> =>
    Effect.gen(function* () {
      const opened = yield* Effect.either(openApp)
      // Nothing can be told of it any more.
      if (Either.isLeft(opened))
        return yield* Effect.asVoid(journal.finish(runId, unstarted("its app is gone")))
      const app = opened.right
      const limit = Duration.format(options.waitLimit)
      const reason = `no reply came within ${limit}; start again`
      const end = Effect.asVoid(endParked(app, Exit.fail(new RunFailed({ reason, kind: app.kind }))))
      const parked = yield* parkedOf(app)
      if (parked?.turn.runId === runId && runner.active === null) yield* holding(end)
    }).pipe(
      Effect.catchAll((error) => Effect.logWarning("a run that has waited too long was not ended", error)),
      permit,
      Effect.uninterruptible
    )

  /** Another node's run is stopped there. None: it has not answered. */
  const stopElsewhere = (scope: "run" | "all", runId: string | null): Effect.Effect<boolean> => {
    const { owner } = log.standing
    const isElsewhere = () => log.standing.status === "running" && log.standing.owner === owner
    return options.stopAt(owner, { ...address, userId: options.userId, scope, runId }).pipe(
      Effect.repeat({
        until: (answer) => Option.isSome(answer) || !isElsewhere(),
        times: stopAttempts
      }),
      Effect.map(Option.getOrElse(() => false))
    )
  }

  const stopRun = (run: KnownRun): Effect.Effect<boolean> =>
    run.owner === options.self ? runner.interrupt(run.runId) : stopElsewhere("run", run.runId)

  const stop = (scope: StopScope, runId: string | null = null): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      const { status, owner } = log.standing
      const elsewhere = runner.active === null && status === "running" && owner !== options.self
      if (scope === "drain") return runner.interrupt(null)
      if (elsewhere) return stopElsewhere(scope, runId)
      return stopHere(scope, runId)
    }).pipe(Effect.uninterruptible)

  const stopHere = (scope: "run" | "all", runId: string | null): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      const { active } = runner
      const isActive = active !== null && (runId === null || active.turn.runId === runId)
      // With nothing running, what is to be stopped can only be what waits for its turn.
      if (scope === "all" || !isActive) {
        cancelled.push(
          ...(yield* Effect.catchAll(journal.cancel(runId), (error) =>
            Effect.as(Effect.logWarning("waiting questions were not cancelled", error.cause), [])
          ))
        )
      }
      if (isActive) return yield* runner.interrupt(runId)
      const had = cancelled.length > 0
      // A run in progress tells of them at its end.
      if (active !== null) return had
      let ended = false
      const tell = Effect.gen(function* () {
        yield* tellCancelled
        const app = yield* Effect.either(openApp)
        if (runId === null && Either.isRight(app)) {
          ended = yield* endParked(app.right, Exit.interrupt(FiberId.none))
        }
      })
      const late = yield* permit(
        Effect.suspend(() => {
          // A question that was being accepted runs by now.
          if (runner.active !== null) return runner.interrupt(runId)
          return Effect.as(holding(tell), false)
        })
      )
      return had || ended || late
    })

  /** Ends what a node that is gone has left of a run, and goes on with the queue. */
  const takeOver = (runId: string | null): Effect.Effect<void> =>
    permit(
      Effect.suspend(() => {
        if (runner.active !== null) return Effect.void
        const end = endLost({ session: options, journal, runner, openApp, runId })
        return Effect.asVoid(holding(Effect.zipRight(end, Effect.asVoid(resumeQueue))))
      })
    ).pipe(Effect.uninterruptible)

  return {
    running: () => runner.active?.turn.runId ?? null,
    watchOrphan,
    ask,
    reply,
    checkStatus,
    expire,
    stop,
    resume,
    takeOver,
    depose: runner.abandon,
    clearHistory: journal.forget
  }
}

const unstarted = (error: string) => ({
  status: "failed" as const,
  error,
  promptTokens: 0,
  completionTokens: 0,
  messages: []
})

/** A group chat asks one thing at a time; a workflow's reply names the nodes that it is for. */
const answers = ({ action, body }: Reply, { message }: Frame): boolean =>
  action === "continue" ||
  !Predicate.isRecord(message) ||
  (Predicate.isRecord(body) && Object.hasOwn(body, String(message["node_id"])))

const maxTitle = 80

/** A session is called after its first question, cut at a character. */
const titleOf = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  const characters = [...line.slice(0, maxTitle * 2)]
  return characters.length <= maxTitle ? line : `${characters.slice(0, maxTitle - 1).join("")}…`
}

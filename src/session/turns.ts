/**
 * The questions of one session: which is being answered, which wait, what ends them. What a session promises
 * stands at `Session`; most sessions are open without a question, so this is made for the first one.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import {
  InvalidInput,
  NotYours,
  Overloaded,
  QueueFull,
  type RunFailed,
  SessionBusy
} from "../protocol/errors.ts"
import type { Frame, QuestionEcho } from "../protocol/frames.ts"
import type { Ask } from "../protocol/payloads.ts"
import { assistantProfile, Projection, skillProfile } from "../protocol/projection.ts"
import type { Action } from "../run/Actions.ts"
import type { KnownRun } from "../run/Journal.ts"
import { Recorder } from "../run/recorder.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SessionOptions } from "./makeSession.ts"
import type { AskError, Asker, AskOutcome, Session } from "./Session.ts"

interface Waiting {
  readonly runId: string
  readonly action: Action
  readonly app: App
  readonly ask: Ask
  readonly asker: Asker
  readonly echo: QuestionEcho
}

interface Active {
  readonly waiting: Waiting
  readonly begin: Frame
  readonly fiber: Fiber.RuntimeFiber<void, RunFailed | StorageError>
  /** Done when the run's `close` is in the log. */
  readonly closed: Deferred.Deferred<void>
}

const newRunId = Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))

export interface Turns extends Pick<Session, "ask" | "stop" | "clearHistory" | "activeRun"> {
  /** To be run when a socket has come or gone. */
  readonly watchOrphan: Effect.Effect<void>
}

/** Runs live in `scope`; `sockets` says how many are following. */
export const makeTurns = (options: SessionOptions, scope: Scope.Scope, sockets: () => number): Turns => {
  const { address, log } = options
  const journal = options.journal()
  const accepting = Effect.unsafeMakeSemaphore(1)
  const queue: Array<Waiting> = []
  const cancelled: Array<Waiting> = []
  let active: Active | null = null
  /** A question that replaces the run in progress goes before the waiting ones. */
  let replacing = false
  let orphan: Fiber.RuntimeFiber<boolean> | null = null

  const projectionOf = ({ runId, app, asker }: Pick<Waiting, "runId" | "app" | "asker">) =>
    new Projection(address, runId, asker.userId, app.kind === "skill" ? skillProfile : assistantProfile)

  const recorderOf = (waiting: Waiting) =>
    new Recorder({
      runId: waiting.runId,
      kind: waiting.app.kind,
      journal,
      log,
      frames: projectionOf(waiting)
    })

  /**
   * Begins a run. Its fiber exists before anyone is told of it, and waits at a gate until it is `active`:
   * from the client's first sight of the run, a stop finds something to interrupt.
   */
  const start = (waiting: Waiting): Effect.Effect<void> =>
    Effect.gen(function* () {
      const { action, app, ask, asker, echo } = waiting
      const recorder = recorderOf(waiting)
      const request = { app, text: echo.message, inputs: ask.inputs, userId: asker.userId, journal }
      const gate = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const fiber = yield* Deferred.await(gate).pipe(
        Effect.zipRight(recorder.run(action.run(request))),
        Effect.interruptible,
        Effect.forkIn(scope)
      )
      yield* Effect.sync(() => {
        log.beginRun()
        active = { waiting, begin: recorder.begin(echo), fiber, closed }
      })
      yield* Deferred.succeed(gate, undefined)
      yield* supervise(fiber, recorder, closed).pipe(Effect.forkIn(scope))
      yield* watchOrphan
    }).pipe(Effect.uninterruptible)

  /** Waits for the run's end, whatever it is, settles it, and goes on with the next question. */
  const supervise = (
    fiber: Active["fiber"],
    recorder: Recorder,
    closed: Deferred.Deferred<void>
  ): Effect.Effect<void> =>
    Effect.gen(function* () {
      yield* options.retain
      yield* options.checkpoints.watch(recorder)
      yield* Effect.exit(Effect.interruptible(Fiber.await(fiber)))
      const exit = yield* Fiber.interrupt(fiber)
      yield* recorder.finish(exit)
      while (cancelled.length > 0) yield* tellCancelled
      // No step between here and the next question's start: nothing may see the session idle in between.
      log.endRun()
      const next = replacing ? undefined : queue.shift()
      if (next === undefined) {
        active = null
        options.slots.release()
      }
      yield* Deferred.succeed(closed, undefined)
      if (next !== undefined) yield* start(next)
    }).pipe(Effect.scoped, Effect.uninterruptible)

  const interruptActive = Effect.suspend(() => {
    if (active === null) return Effect.succeed(false)
    const { fiber, closed } = active
    return Effect.as(Effect.zipRight(Fiber.interruptFork(fiber), Deferred.await(closed)), true)
  })

  /**
   * Questions that will not run are told as begun and closed, so that no client waits for them; between
   * runs, so that their `close` is never taken for another's.
   */
  const tellCancelled = Effect.suspend(() =>
    Effect.forEach(cancelled.splice(0), (waiting) => recorderOf(waiting).cancel(waiting.echo), {
      discard: true
    })
  )

  /** While a run goes on without any socket its time is limited. */
  const watchOrphan = Effect.suspend(() => {
    const before = orphan
    orphan = null
    const called = before === null ? Effect.void : Fiber.interruptFork(before)
    if (sockets() > 0 || active === null) return called
    const patience = active.waiting.app.onDisconnect === "cancel" ? 0 : options.orphanTimeout
    const watch = Effect.interruptible(Effect.delay(interruptActive, patience)).pipe(Effect.forkIn(scope))
    return Effect.zipRight(
      called,
      Effect.map(watch, (fiber) => {
        orphan = fiber
      })
    )
  })

  /** The begin frame of a question that was accepted before. */
  const repeated = (run: KnownRun, ask: Ask, asker: Asker, app: App, text: string): Frame => {
    if (active !== null && active.waiting.runId === run.runId) {
      const { seq: _, ...begin } = active.begin
      return begin
    }
    const echo: QuestionEcho = {
      message_id: run.questionId,
      message: text,
      user_id: asker.userId,
      client_msg_id: ask.clientMsgId
    }
    const frames = projectionOf({ runId: run.runId, app, asker })
    return { ...frames.begin(echo), extra: JSON.stringify({ status: run.status }) }
  }

  /** Makes room for a question beside the run in progress, or refuses it. */
  const makeRoom = (ask: Ask): Effect.Effect<void, SessionBusy | QueueFull | StorageError> =>
    Effect.gen(function* () {
      if (active === null) return
      switch (ask.onBusy) {
        case "reject":
          return yield* new SessionBusy()
        case "enqueue":
          if (queue.length >= options.maxQueued) return yield* new QueueFull({ limit: options.maxQueued })
          return
        case "interrupt":
        case "rollback": {
          const { runId } = active.waiting
          replacing = true
          yield* interruptActive
          if (ask.onBusy === "rollback") yield* journal.rollback(runId)
        }
      }
    })

  const ask = (ask: Ask, asker: Asker): Effect.Effect<AskOutcome, AskError> =>
    Effect.gen(function* () {
      const app = yield* options.openApp
      const action = options.actions[ask.action]
      if (action === undefined) {
        return yield* new InvalidInput({ reason: `unknown action "${ask.action}"` })
      }
      const text = action.question(ask.inputs, app)
      if (text === null) {
        return yield* new InvalidInput({
          reason: `inputs.${app.inputKey} must be a text that is not empty`
        })
      }
      if (ask.clientMsgId !== null) {
        const before = yield* journal.find(ask.clientMsgId)
        if (Option.isSome(before)) {
          return { _tag: "Repeated" as const, begin: repeated(before.value, ask, asker, app, text) }
        }
      }
      yield* makeRoom(ask)
      const idle = active === null
      if (idle && !options.slots.take()) return yield* new Overloaded({ retryAfterMs: 1000 })
      const accepted = yield* accept(app, ask, asker, text).pipe(
        Effect.onError(() => Effect.sync(() => idle && options.slots.release()))
      )
      const { run, fresh } = accepted
      if (!fresh) {
        if (idle) options.slots.release()
        return { _tag: "Repeated" as const, begin: repeated(run, ask, asker, app, text) }
      }
      const echo: QuestionEcho = {
        message_id: run.questionId,
        message: text,
        user_id: asker.userId,
        client_msg_id: ask.clientMsgId
      }
      const waiting: Waiting = { runId: run.runId, action, app, ask, asker, echo }
      return yield* enter(waiting, idle)
    }).pipe(
      Effect.ensuring(resumeQueue),
      accepting.withPermits(1),
      // Accepted means it runs: the asker's socket may vanish, the question stays.
      Effect.uninterruptible
    )

  const accept = (app: App, ask: Ask, asker: Asker, text: string) =>
    Effect.flatMap(newRunId, (runId) =>
      journal.accept({
        runId,
        action: ask.action,
        owner: options.nodeId,
        clientMsgId: ask.clientMsgId,
        session: {
          chatId: address.chatId,
          flowId: address.flowId,
          flowType: app.flowType,
          flowName: app.name,
          name: titleOf(text),
          userId: asker.userId,
          ip: asker.ip
        },
        question: { is_bot: false, type: "over", category: "question", message: text }
      })
    ).pipe(Effect.catchTag("SessionTaken", () => new NotYours({ what: "chat" })))

  /** Starts the question, or lets it wait when a run is in progress. */
  const enter = (waiting: Waiting, hasSlot: boolean): Effect.Effect<AskOutcome> =>
    Effect.suspend((): Effect.Effect<AskOutcome> => {
      if (active !== null) {
        queue.push(waiting)
        return Effect.succeed({ _tag: "Queued", runId: waiting.runId, position: queue.length })
      }
      // The run it would have waited for ended meanwhile, and gave its slot back.
      if (!hasSlot) options.slots.hold()
      return Effect.as(start(waiting), { _tag: "Begun", runId: waiting.runId })
    })

  /** After a replacement: if it came to nothing, those who waited go on. */
  const resumeQueue = Effect.gen(function* () {
    if (!replacing) return
    replacing = false
    if (active !== null) return
    while (cancelled.length > 0) yield* tellCancelled
    const next = queue.shift()
    if (next === undefined) return
    options.slots.hold()
    yield* start(next)
  })

  const stop = (scope: "run" | "all"): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      if (scope === "all") cancelled.push(...queue.splice(0))
      return interruptActive
    }).pipe(Effect.uninterruptible)

  return {
    activeRun: () => active?.waiting.runId ?? null,
    watchOrphan,
    ask,
    stop,
    clearHistory: journal.forget
  }
}

const maxTitle = 80

/** A session is called after its first question, cut at a character. */
const titleOf = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  const characters = [...line.slice(0, maxTitle * 2)]
  return characters.length <= maxTitle ? line : `${characters.slice(0, maxTitle - 1).join("")}…`
}

/**
 * The questions of one session: which is being answered, which wait, what ends them. What a session promises
 * stands at `Session`; most sessions are open without a question, so this is made for the first one.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
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
import { type Frame, frame, type QuestionEcho } from "../protocol/frames.ts"
import type { Ask, Reply } from "../protocol/payloads.ts"
import { Projection, profiles } from "../protocol/projection.ts"
import type { Action } from "../run/Actions.ts"
import { fillingActions, type KnownRun } from "../run/Journal.ts"
import { type Parked as Asked, Recorder } from "../run/recorder.ts"
import { unseen } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SessionOptions } from "./makeSession.ts"
import { decodeKept, encodeKept, maxReplies } from "./parked.ts"
import type { AskError, Asker, AskOutcome, ReplyOutcome, Session, StopScope } from "./Session.ts"

/** A question on its way through its run. */
interface Turn {
  readonly runId: string
  readonly action: Action
  readonly app: App
  readonly ask: Pick<Ask, "action" | "inputs" | "clientMsgId">
  readonly asker: Asker
  readonly echo: QuestionEcho
  /** `client_msg_id`s of the replies it has had. */
  readonly replies: ReadonlyArray<string>
  /** What it has asked before and still waits for, beside what was replied to. */
  readonly open: ReadonlyArray<Frame>
}

/** A run that waits for a person: no fiber, no slot. */
interface Parked {
  readonly turn: Turn
  readonly state: unknown
  readonly prompts: ReadonlyArray<Frame>
}

interface Active {
  readonly turn: Turn
  /** null when the run goes on after a reply: its `begin` was sent before. */
  readonly begin: Frame | null
  readonly fiber: Fiber.RuntimeFiber<void, RunFailed | StorageError>
  /** Done when the run's `close` is in the log. */
  readonly closed: Deferred.Deferred<void>
}

type RunEvents = ReturnType<Action["run"]>

const newRunId = Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))

export interface Turns
  extends Pick<
    Session,
    "ask" | "reply" | "checkStatus" | "expire" | "stop" | "clearHistory" | "activeRun" | "status"
  > {
  /** To be run when a socket has come or gone. */
  readonly watchOrphan: Effect.Effect<void>
}

/** Runs live in `scope`; `sockets` says how many are following. */
export const makeTurns = (options: SessionOptions, scope: Scope.Scope, sockets: () => number): Turns => {
  const { address, log } = options
  const journal = options.journal()
  const accepting = Effect.unsafeMakeSemaphore(1)
  const queue: Array<Turn> = []
  const cancelled: Array<Turn> = []
  let active: Active | null = null
  let parked: Parked | null = null
  /** Whether a run that an earlier life of this session parked has been looked for. */
  let restored = false
  /** Of the latest run, so that a reply that comes again after its end is still known. */
  let replied: ReadonlyArray<string> = []
  /** A question that replaces the run in progress goes before the waiting ones. */
  let replacing = false
  let orphan: Fiber.RuntimeFiber<boolean> | null = null

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

  const projectionOf = ({ runId, app, asker }: Pick<Turn, "runId" | "app" | "asker">) =>
    new Projection(address, runId, asker.userId, profiles[app.kind])

  const recorderOf = (turn: Turn) =>
    new Recorder({
      runId: turn.runId,
      kind: turn.app.kind,
      journal,
      log,
      frames: projectionOf(turn),
      judge: (passages) => options.judge.source(passages, turn.asker.userId),
      asker: { userId: turn.asker.userId, chatId: address.chatId }
    })

  /**
   * Begins a run, or goes on with one. Its fiber exists before anyone is told of it, and waits at a gate until
   * it is `active`: from the client's first sight of the run, a stop finds something to interrupt.
   */
  const launch = (
    turn: Turn,
    events: RunEvents,
    open: (recorder: Recorder) => Frame | null
  ): Effect.Effect<void> =>
    Effect.gen(function* () {
      const recorder = recorderOf(turn)
      const gate = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const fiber = yield* Deferred.await(gate).pipe(
        Effect.zipRight(recorder.run(events)),
        Effect.interruptible,
        Effect.forkIn(scope)
      )
      yield* Effect.sync(() => {
        log.beginRun()
        active = { turn, begin: open(recorder), fiber, closed }
        replied = turn.replies
      })
      yield* Deferred.succeed(gate, undefined)
      yield* supervise(turn, fiber, recorder, closed).pipe(Effect.forkIn(scope))
      yield* watchOrphan
    }).pipe(Effect.uninterruptible)

  const start = (turn: Turn): Effect.Effect<void> => {
    const { action, app, ask, asker, echo, runId } = turn
    const request = {
      runId,
      chatId: address.chatId,
      app,
      text: echo.message,
      inputs: ask.inputs,
      userId: asker.userId,
      journal,
      past: journal.past(runId),
      mayRead: (fileIds: ReadonlyArray<string>) => options.judge.mayRead(fileIds, asker.userId)
    }
    return launch(turn, action.run(request), (recorder) => recorder.begin(echo))
  }

  /** Waits for the run's end, whatever it is, settles it, and goes on with the next question. */
  const supervise = (
    turn: Turn,
    fiber: Active["fiber"],
    recorder: Recorder,
    closed: Deferred.Deferred<void>
  ): Effect.Effect<void> =>
    Effect.gen(function* () {
      yield* options.retain
      yield* options.checkpoints.watch(recorder)
      yield* Effect.exit(Effect.interruptible(Fiber.await(fiber)))
      const exit = yield* Fiber.interrupt(fiber)
      const waits = yield* recorder.finish(exit, turn.open, (asked) => park(turn, asked))
      while (cancelled.length > 0) yield* tellCancelled
      // No step between here and the next question's start: nothing may see the session idle in between.
      log.endRun()
      parked = waits === null ? null : { turn, ...waits }
      const next = replacing ? undefined : queue.shift()
      // A question that came before anyone was asked: it is not the reply, and must not wait for one.
      if (next !== undefined) yield* endParked(Exit.interrupt(FiberId.none))
      if (next === undefined) {
        active = null
        options.slots.release()
      }
      yield* Deferred.succeed(closed, undefined)
      if (next !== undefined) yield* start(next)
    }).pipe(Effect.scoped, Effect.uninterruptible)

  const park = (turn: Turn, { state, prompts }: Asked): Effect.Effect<void, StorageError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      journal.park(turn.runId, {
        state: encodeKept({
          inputs: turn.ask.inputs,
          text: turn.echo.message,
          state,
          prompts,
          replies: turn.replies
        }),
        until: new Date(now + Duration.toMillis(options.waitLimit))
      })
    )

  /** Finds the run that an earlier life of this session left waiting. */
  const restore = (app: App): Effect.Effect<void, StorageError> =>
    Effect.gen(function* () {
      if (restored || app.resume === undefined) return
      const found = yield* journal.waiting
      restored = true
      if (Option.isNone(found) || active !== null) return
      const { run, state } = found.value
      const action = options.actions[run.action]
      if (action === undefined) return
      const kept = yield* decodeKept(state)
      const turn: Turn = {
        runId: run.id,
        action,
        app,
        ask: { action: run.action, inputs: kept.inputs, clientMsgId: run.client_msg_id },
        asker: { userId: run.user_id, ip: "" },
        echo: {
          message_id: run.question_id,
          message: kept.text,
          user_id: run.user_id,
          client_msg_id: run.client_msg_id
        },
        replies: kept.replies,
        open: []
      }
      parked = { turn, state: kept.state, prompts: kept.prompts }
      replied = kept.replies
    })

  /** Ends the run that waits: its end is told like any other's. */
  const endParked = (exit: Exit.Exit<never, RunFailed>): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      const ending = parked
      if (ending === null) return Effect.succeed(false)
      parked = null
      return Effect.as(
        recorderOf(ending.turn).finish(exit, [], () => Effect.void),
        true
      )
    })

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
    Effect.forEach(cancelled.splice(0), (turn) => recorderOf(turn).cancel(turn.echo), {
      discard: true
    })
  )

  /** While a run goes on without any socket its time is limited. */
  const watchOrphan = Effect.suspend(() => {
    const before = orphan
    orphan = null
    const called = before === null ? Effect.void : Fiber.interruptFork(before)
    if (sockets() > 0 || active === null) return called
    const patience = active.turn.app.onDisconnect === "cancel" ? 0 : options.orphanTimeout
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
    const known = active !== null && active.turn.runId === run.runId ? active.begin : null
    if (known !== null) {
      const { seq: _, ...begin } = known
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
          const { runId } = active.turn
          replacing = true
          yield* interruptActive
          if (ask.onBusy === "rollback") yield* journal.rollback(runId)
        }
      }
    })

  const ask = (ask: Ask, asker: Asker): Effect.Effect<AskOutcome, AskError> =>
    Effect.gen(function* () {
      const app = yield* appFor(ask)
      const action = actionFor(ask.action, app)
      if (action === undefined) {
        return yield* new InvalidInput({ reason: `unknown action "${ask.action}"` })
      }
      yield* restore(app)
      const text = action.silent === true ? "" : action.question(ask.inputs, app)
      if (text === null) {
        return yield* new InvalidInput({
          reason: `inputs.${app.inputKey} must be a text that is not empty`
        })
      }
      if (ask.clientMsgId !== null) {
        const before = yield* journal.find(ask.clientMsgId)
        if (Option.isSome(before)) return yield* again(before.value, action, app, ask, asker, text)
      }
      // A question instead of the reply that was waited for.
      yield* endParked(Exit.interrupt(FiberId.none))
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
      return yield* enter(turnOf(run, action, app, ask, asker, text), idle)
    }).pipe(
      Effect.ensuring(resumeQueue),
      accepting.withPermits(1),
      // Accepted means it runs: the asker's socket may vanish, the question stays.
      Effect.uninterruptible
    )

  const turnOf = (run: KnownRun, action: Action, app: App, ask: Ask, asker: Asker, text: string): Turn => ({
    runId: run.runId,
    action,
    app,
    ask,
    asker,
    echo: {
      message_id: run.questionId,
      message: text,
      user_id: asker.userId,
      client_msg_id: ask.clientMsgId
    },
    replies: [],
    open: []
  })

  /** A question that came before: its run is told of again; one that broke off and can go on does so. */
  const again = (
    run: KnownRun,
    action: Action,
    app: App,
    ask: Ask,
    asker: Asker,
    text: string
  ): Effect.Effect<AskOutcome, AskError> =>
    Effect.gen(function* () {
      const brokeOff = run.status === "stopped" || run.status === "failed" || run.status === "lost"
      if (action.continues === true && brokeOff) {
        yield* makeRoom(ask)
        const idle = active === null
        if (idle && !options.slots.take()) return yield* new Overloaded({ retryAfterMs: 1000 })
        const reopened = yield* journal
          .reopen(run.runId, options.nodeId)
          .pipe(Effect.onError(() => Effect.sync(() => idle && options.slots.release())))
        if (reopened) return yield* enter(turnOf(run, action, app, ask, asker, text), idle)
        if (idle) options.slots.release()
      }
      return { _tag: "Repeated", begin: repeated(run, ask, asker, app, text) }
    })

  const reply = (reply: Reply, asker: Asker): Effect.Effect<ReplyOutcome, AskError> =>
    Effect.gen(function* () {
      const app = yield* openApp
      yield* restore(app)
      const id = reply.clientMsgId
      const runId = active?.turn.runId ?? parked?.turn.runId ?? ""
      if (id !== null && replied.includes(id)) return { _tag: "Repeated" as const, runId }
      if (parked === null || app.resume === undefined) {
        return yield* new InvalidInput({
          reason: "no run of this chat waits for a reply; it has ended, or has not asked yet"
        })
      }
      const { state } = parked
      const fits = app.resume.accept(state, reply)
      if (Either.isLeft(fits)) return yield* new InvalidInput({ reason: fits.left })
      if (!options.slots.take()) return yield* new Overloaded({ retryAfterMs: 1000 })
      const { turn, prompts } = parked
      const { text } = fits.right
      const stored = yield* journal
        .resume(turn.runId, { is_bot: false, type: "over", category: "question", message: text })
        .pipe(Effect.onError(() => Effect.sync(options.slots.release)))
      parked = null
      if (Option.isNone(stored)) {
        options.slots.release()
        return yield* new InvalidInput({ reason: "the run that waited has ended" })
      }
      const replies = id === null ? turn.replies : [...turn.replies.slice(1 - maxReplies), id]
      const { resume } = app
      const events = Stream.unwrap(
        Effect.map(journal.memory, (history) =>
          resume.run(state, reply, {
            text: turn.echo.message,
            inputs: turn.ask.inputs,
            userId: turn.asker.userId,
            history
          })
        )
      )
      const echo = { message_id: stored.value, message: text, user_id: asker.userId, client_msg_id: id }
      const open = prompts.filter((prompt) => !answers(reply, prompt))
      yield* launch({ ...turn, app, replies, open }, events, (recorder) => {
        recorder.goOn(echo)
        return null
      })
      return { _tag: "Taken" as const, runId: turn.runId }
    }).pipe(accepting.withPermits(1), Effect.uninterruptible)

  const checkStatus = Effect.gen(function* () {
    yield* restore(yield* openApp)
    if (active !== null) return []
    return parked?.prompts ?? [frame(address, "close", "processing")]
  })

  const expire = (runId: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (parked?.turn.runId !== runId) return Effect.void
      const limit = Duration.format(options.waitLimit)
      const reason = `no reply came within ${limit}; start again`
      return endParked(Exit.fail(new RunFailed({ reason, kind: parked.turn.app.kind })))
    }).pipe(accepting.withPermits(1), Effect.uninterruptible)

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
          name: text === "" ? app.name : titleOf(text),
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
                message: text,
                ...(fillingActions.includes(ask.action)
                  ? { extra: JSON.stringify({ inputs: ask.inputs }) }
                  : {})
              }
      })
    ).pipe(Effect.catchTag("SessionTaken", () => new NotYours({ what: "chat" })))

  /** Starts the question, or lets it wait when a run is in progress. */
  const enter = (turn: Turn, hasSlot: boolean): Effect.Effect<AskOutcome> =>
    Effect.suspend((): Effect.Effect<AskOutcome> => {
      if (active !== null) {
        queue.push(turn)
        return Effect.succeed({ _tag: "Queued", runId: turn.runId, position: queue.length })
      }
      // The run it would have waited for ended meanwhile, and gave its slot back.
      if (!hasSlot) options.slots.hold()
      return Effect.as(start(turn), { _tag: "Begun", runId: turn.runId })
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

  const stop = (scope: StopScope): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      if (scope !== "run") cancelled.push(...queue.splice(0))
      if (active !== null) return interruptActive
      if (scope === "drain") return Effect.succeed(false)
      return openApp.pipe(
        Effect.flatMap(restore),
        Effect.ignore,
        Effect.zipRight(
          Effect.suspend(() => (active === null ? endParked(Exit.interrupt(FiberId.none)) : interruptActive))
        ),
        accepting.withPermits(1)
      )
    }).pipe(Effect.uninterruptible)

  return {
    activeRun: () => active?.turn.runId ?? null,
    status: () => (active !== null ? "running" : parked === null ? "idle" : "waiting"),
    watchOrphan,
    ask,
    reply,
    checkStatus,
    expire,
    stop,
    clearHistory: journal.forget
  }
}

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

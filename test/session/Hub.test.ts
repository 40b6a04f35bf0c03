import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { Judge } from "../../src/app/Judge.ts"
import { Settings } from "../../src/config.ts"
import { OptionalRedis } from "../../src/redis/Redis.ts"
import { Actions, type ActionTable } from "../../src/run/Actions.ts"
import { Checkpoints } from "../../src/run/Checkpoints.ts"
import { Hub } from "../../src/session/Hub.ts"
import type { Session } from "../../src/session/Session.ts"
import { SessionControl } from "../../src/session/SessionControl.ts"
import { SharedSessions } from "../../src/session/shared/SessionLog.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { Runs } from "../../src/storage/Runs.ts"
import { flowIds, scriptedApps } from "../support/apps.ts"
import { TickerAtLeisure } from "../support/atLeisure.ts"
import { testSettings } from "../support/settings.ts"

const address = { flowId: flowIds.gated, chatId: "c1" }
const question = {
  _tag: "Ask",
  action: "default",
  inputs: { input: "go" },
  clientMsgId: null,
  onBusy: "enqueue"
} as const
const asker = { userId: 1, ip: "127.0.0.1" }

/** A hub over memory storage, under the test clock, and the gates of its app. */
const withHub = <A, E>(
  body: (
    gate: Effect.Effect.Success<ReturnType<typeof scriptedApps>>["gate"]
  ) => Effect.Effect<A, E, Hub | SessionControl | Runs>,
  actions: ActionTable = Actions.table
) =>
  Effect.gen(function* () {
    const apps = yield* scriptedApps()
    const layer = Hub.Live.pipe(
      Layer.provideMerge(Layer.merge(Checkpoints.Live, Judge.Live)),
      Layer.provideMerge(
        Layer.mergeAll(TickerAtLeisure, SharedSessions, Layer.succeed(Actions, actions), apps.layer, Memory)
      ),
      Layer.provideMerge(Layer.succeed(OptionalRedis, Option.none())),
      Layer.provideMerge(Layer.succeed(Settings, testSettings))
    )
    return yield* Effect.provide(body(apps.gate), layer)
  })

/** A socket that follows until the scope closes. */
const present = (session: Session) => Effect.acquireRelease(session.attend(null), (depart) => depart)

/** The frames that are kept, whichever session has them at the moment. */
const logOf = Effect.scoped(
  Effect.gen(function* () {
    const hub = yield* Hub
    return (yield* hub.open(address, 1)).log
  })
)

describe("the hub", () => {
  it.effect("keeps a session's frames for five minutes after its last socket, and no longer", () =>
    withHub(() =>
      Effect.gen(function* () {
        const first = yield* logOf
        yield* TestClock.adjust("4 minutes")
        expect(yield* logOf).toBe(first)
        yield* TestClock.adjust("5 minutes")
        expect(yield* logOf).not.toBe(first)
      })
    )
  )

  it.effect("keeps a session as long as its run, sockets or not, then cleans it up", () =>
    withHub((gate) =>
      Effect.gen(function* () {
        const hub = yield* Hub
        const log = yield* Effect.scoped(
          Effect.gen(function* () {
            const session = yield* hub.open(address, 1)
            yield* present(session)
            yield* session.ask(question, asker)
            yield* gate(0).begun
            return session.log
          })
        )
        yield* TestClock.adjust("9 minutes")
        expect(hub.activeRuns()).toBe(1)
        expect(yield* logOf).toBe(log)
        // The orphan timeout is ten minutes: the run ends, and the session's idle time begins.
        yield* TestClock.adjust("2 minutes")
        yield* gate(0).interrupted
        yield* TestClock.adjust("6 minutes")
        expect(hub.activeRuns()).toBe(0)
        expect(yield* logOf).not.toBe(log)
      })
    )
  )

  it.effect("goes on with a run that broke off, and was asked for again, after the one in progress", () =>
    withHub(
      (gate) =>
        Effect.scoped(
          Effect.gen(function* () {
            const hub = yield* Hub
            const session = yield* hub.open(address, 1)
            yield* session.ask({ ...question, clientMsgId: "first" }, asker)
            yield* gate(0).begun
            yield* session.stop("run")
            yield* session.ask({ ...question, clientMsgId: "second" }, asker)
            yield* gate(1).begun
            const again = yield* session.ask({ ...question, clientMsgId: "first" }, asker)
            expect(again._tag).toBe("Queued")
            yield* gate(1).finish
            yield* gate(2).begun
          })
        ),
      { ...Actions.table, default: { ...Actions.table.default, continues: true } }
    )
  )

  it.effect("stores what a running answer has streamed within a second", () =>
    withHub((gate) =>
      Effect.gen(function* () {
        const hub = yield* Hub
        const runs = yield* Runs
        const session = yield* hub.open(address, 1)
        yield* present(session)
        const outcome = yield* session.ask(question, asker)
        const runId = outcome._tag === "Begun" ? outcome.runId : ""
        yield* gate(0).text("so ")
        yield* TestClock.adjust("1 second")
        yield* gate(0).text("far")
        yield* TestClock.adjust("1 second")
        expect(Option.getOrThrow(yield* runs.get(runId)).partial_text).toBe("so far")
      }).pipe(Effect.scoped)
    )
  )

  it.effect("forgets a deleted chat: its run ends, and its session is gone", () =>
    withHub((gate) =>
      Effect.gen(function* () {
        const hub = yield* Hub
        const control = yield* SessionControl
        const session = yield* hub.open(address, 1)
        yield* present(session)
        yield* session.ask(question, asker)
        yield* gate(0).begun
        yield* control.forget("c1")
        yield* gate(0).interrupted
        expect(session.running()).toBeNull()
        expect(yield* logOf).not.toBe(session.log)
      }).pipe(Effect.scoped)
    )
  )
})

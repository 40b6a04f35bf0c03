/** Apps whose every step a test decides: what streams, when it goes on, how it ends. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { App, Question } from "../../src/app/App.ts"
import { Catalogue } from "../../src/app/Catalogue.ts"
import { AppDeleted, AppNotBuilt, AppOffline, RunFailed } from "../../src/protocol/errors.ts"
import { Deltas, noUsage, type RunEvent } from "../../src/protocol/RunEvent.ts"

export const flowIds = {
  echo: "e".repeat(32),
  skill: "5".repeat(32),
  gated: "9".repeat(32),
  tool: "7".repeat(32),
  offline: "0ff".padEnd(32, "0"),
  workflow: "a".repeat(32),
  failing: "f".repeat(32),
  defect: "d".repeat(32)
} as const

const words = (text: string): ReadonlyArray<string> => text.split(/(?<= )/)

const streamWords = (text: string) =>
  Stream.unwrap(
    Effect.map(Deltas, (sink) =>
      Stream.fromIterable(words(text)).pipe(
        Stream.mapEffect((word) =>
          Effect.sync(() => sink.text(word)).pipe(Effect.zipRight(Effect.yieldNow()))
        ),
        Stream.drain
      )
    )
  )

const answered = (text: string): RunEvent => ({
  _tag: "Answered",
  text,
  source: 0,
  passages: [],
  usage: noUsage
})

const base = (flowId: string, name: string): Omit<App, "answer"> => ({
  flowId,
  flowType: 5,
  kind: "assistant",
  name,
  onDisconnect: "continue",
  inputKey: "input"
})

/** Repeats the question, word by word, after saying what it remembers. */
const echo: App = {
  ...base(flowIds.echo, "Echo"),
  answer: ({ text, history }) => {
    const reply =
      text === "what do you remember?"
        ? JSON.stringify(history.map(({ content }) => content))
        : `echo: ${text}`
    return Stream.concat(streamWords(reply), Stream.make(answered(reply)))
  }
}

const skill: App = {
  ...base(flowIds.skill, "Skill"),
  flowType: 1,
  kind: "skill",
  answer: ({ text }) =>
    Stream.make<[RunEvent]>({ _tag: "Step", text: `prompt: ${text}` }).pipe(
      Stream.concat(streamWords(`skill: ${text}`)),
      Stream.concat(Stream.make(answered(`skill: ${text}`)))
    )
}

const tool: App = {
  ...base(flowIds.tool, "Tool"),
  answer: ({ text, history }) => {
    if (text === "what do you remember?") return Stream.make(answered(JSON.stringify(history)))
    const id = crypto.randomUUID().replaceAll("-", "")
    const events: ReadonlyArray<RunEvent> = [
      {
        _tag: "ToolStarted",
        id,
        category: "tool",
        name: "calculator",
        input: '{"expression":"6*7"}',
        callId: "call_1",
        turn: 0
      },
      { _tag: "ToolEnded", id, output: "42", failed: false }
    ]
    return Stream.fromIterable(events).pipe(
      Stream.concat(streamWords("it is 42")),
      Stream.concat(Stream.make(answered("it is 42")))
    )
  }
}

const failing: App = {
  ...base(flowIds.failing, "Failing"),
  answer: ({ text }) =>
    Stream.concat(
      text === "at once" ? Stream.empty : streamWords("half an "),
      Stream.fail(new RunFailed({ reason: "the model server answered 500", kind: "assistant" }))
    )
}

const defect: App = {
  ...base(flowIds.defect, "Defect"),
  answer: () => Stream.dieMessage("secret detail of a bug")
}

/** What a test does with the gated app: it streams what it is given, and waits for more. */
export interface Gate {
  /** Done when a run has begun and waits. */
  readonly begun: Effect.Effect<Question>
  readonly text: (text: string) => Effect.Effect<void>
  readonly reasoning: (text: string) => Effect.Effect<void>
  /** Ends the run with everything that was given as the answer. */
  readonly finish: Effect.Effect<void>
  /** Done when the run's fiber was interrupted. */
  readonly interrupted: Effect.Effect<void>
}

const makeGate = Effect.gen(function* () {
  const begun = yield* Deferred.make<{ question: Question; sink: typeof Deltas.Service }>()
  const finish = yield* Deferred.make<void>()
  const interrupted = yield* Deferred.make<void>()
  let whole = ""
  const answer = (question: Question): Stream.Stream<RunEvent, RunFailed, Deltas> =>
    Stream.fromEffect(
      Effect.gen(function* () {
        yield* Deferred.succeed(begun, { question, sink: yield* Deltas })
        yield* Deferred.await(finish)
        return answered(whole)
      }).pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
    )
  const gate: Gate = {
    begun: Effect.map(Deferred.await(begun), ({ question }) => question),
    text: (text) =>
      Effect.map(Deferred.await(begun), ({ sink }) => {
        whole += text
        sink.text(text)
      }),
    reasoning: (text) => Effect.map(Deferred.await(begun), ({ sink }) => sink.reasoning(text)),
    finish: Effect.asVoid(Deferred.succeed(finish, undefined)),
    interrupted: Deferred.await(interrupted)
  }
  return { gate, answer }
})

/** `count` questions can go through the gated app. */
export const scriptedApps = (count = 8) =>
  Effect.gen(function* () {
    const made = yield* Effect.replicateEffect(makeGate, count)
    let next = 0
    const gated: App = {
      ...base(flowIds.gated, "Gated"),
      answer: (question) => {
        const gate = made[next]
        next += 1
        return gate === undefined ? Stream.dieMessage("no gate left") : gate.answer(question)
      }
    }
    const apps: Readonly<Record<string, App>> = Object.fromEntries(
      [echo, skill, tool, failing, defect, gated].map((app) => [app.flowId, app])
    )
    const find = (flowId: string): Effect.Effect<App, AppDeleted | AppOffline | AppNotBuilt> =>
      Effect.suspend((): Effect.Effect<App, AppDeleted | AppOffline | AppNotBuilt> => {
        if (flowId === flowIds.offline) return Effect.fail(new AppOffline({ flowId, kind: "assistant" }))
        if (flowId === flowIds.workflow) return Effect.fail(new AppNotBuilt({ flowId, reason: "no engine" }))
        const app = apps[flowId]
        return app === undefined
          ? Effect.fail(new AppDeleted({ flowId, kind: "skill" }))
          : Effect.succeed(app)
      })
    return {
      layer: Layer.succeed(Catalogue, {
        open: find,
        openDebug: (flowId) =>
          Effect.catchTag(find(flowId), "AppOffline", () => Effect.succeed({ ...echo, flowId })),
        openDraft: (flowId) => Effect.succeed({ ...echo, flowId })
      }),
      /** Of the questions to the gated app, the one that came `index`-th. */
      gate: (index: number): Gate => {
        const entry = made[index]
        if (entry === undefined) throw new Error(`there is no gate ${index}`)
        return entry.gate
      }
    }
  })

/** A small stage for actions: fake apps, a request, and what a run tells, in order. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { Answering, App } from "../../src/app/App.ts"
import { RunFailed } from "../../src/protocol/errors.ts"
import { Deltas, type OnStop, type RunEvent, silent } from "../../src/protocol/RunEvent.ts"
import type { Action, RunRequest } from "../../src/run/Actions.ts"
import { unsavedJournal } from "../../src/run/unsavedJournal.ts"
import type { ChatMessage } from "../../src/storage/rows.ts"

export const fails = (reason: string): Answering => Stream.fail(new RunFailed({ reason, kind: "skill" }))

export const answers = (text: string): Answering =>
  Stream.make<[RunEvent, RunEvent]>(
    { _tag: "Step", text: `thinking of ${text}` },
    {
      _tag: "Answered",
      text,
      source: 0,
      passages: [],
      usage: { promptTokens: 10, completionTokens: 3 }
    }
  )

export const fakeApp = (more: Partial<App> = {}): App => ({
  flowId: "b".repeat(32),
  flowType: 1,
  kind: "skill",
  name: "Skill",
  onDisconnect: "continue",
  inputKey: "query",
  answer: ({ text }) => answers(`A(${text})`),
  ...more
})

/** Rows as the recorder keeps them. */
export const pastRow = (row: number, text: string, remark = ""): ChatMessage => ({
  id: row + 1,
  is_bot: true,
  source: 0,
  type: "end",
  category: "answer",
  flow_id: "b".repeat(32),
  chat_id: "c".repeat(32),
  user_id: 1,
  run_id: "d".repeat(32),
  liked: 0,
  solved: 0,
  copied: 0,
  sensitive_status: 0,
  message: text,
  intermediate_steps: "",
  files: "",
  extra: JSON.stringify({ row, progress: { done: row, total: 3 } }),
  remark,
  sender: "",
  receiver: "",
  create_time: new Date(0),
  update_time: new Date(0)
})

export const request = (
  app: App,
  inputs: Readonly<Record<string, unknown>>,
  past: ReadonlyArray<ChatMessage> = []
): RunRequest => ({
  runId: "d".repeat(32),
  chatId: "c".repeat(32),
  app,
  text: "",
  inputs,
  userId: 7,
  journal: unsavedJournal(),
  memory: Effect.succeed([]),
  mayRead: () => Effect.succeed(true),
  past: Effect.succeed(past)
})

/** One line an event: enough to tell what happened, and in which order. */
export const line = (event: RunEvent): string => {
  switch (event._tag) {
    case "Notice":
      return `notice ${event.text}${event.next ? " …" : ""}`
    case "Asked":
      return `asked ${event.row} ${event.text} ${event.progress.done}/${event.progress.total}`
    case "PartAnswered":
      return `answered ${event.row} ${event.text} ${event.progress.done}/${event.progress.total}`
    case "PartFailed":
      return `failed ${event.row} ${event.reason} ${event.progress.done}/${event.progress.total}`
    case "Gathered":
    case "Divider":
    case "Step":
    case "Answered":
      return `${event._tag.toLowerCase()} ${event.text}`
    case "FileMade":
      return `file ${event.name}`
    case "Finished":
      return `finished ${event.usage.promptTokens}+${event.usage.completionTokens}`
    default:
      return event._tag
  }
}

/** All lines of a run, its failure the last one. */
export const played = (action: Action, asked: RunRequest): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const exit = yield* action.run(asked).pipe(
      Stream.runForEach((event) => Effect.sync(() => void lines.push(line(event)))),
      Effect.provideService(Deltas, silent),
      Effect.either
    )
    return exit._tag === "Right"
      ? lines
      : [...lines, `FAILED ${exit.left._tag === "RunFailed" ? exit.left.reason : exit.left._tag}`]
  })

/** The same, stopped when this line was told; then what the run leaves for a stop. */
export const stoppedAt = (
  action: Action,
  asked: RunRequest,
  last: string
): Effect.Effect<{ readonly lines: ReadonlyArray<string>; readonly after: ReadonlyArray<string> }> =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const after: Array<string> = []
    let onStop: OnStop["events"] = Stream.empty
    const reached = yield* Effect.makeLatch()
    const fiber = yield* action.run(asked).pipe(
      Stream.runForEach((event) =>
        Effect.suspend(() => {
          lines.push(line(event))
          if (event._tag === "OnStop") onStop = event.events
          return line(event) === last ? reached.open : Effect.void
        })
      ),
      Effect.provideService(Deltas, silent),
      Effect.fork
    )
    yield* reached.await
    const exit = yield* Fiber.interrupt(fiber)
    if (!Exit.isInterrupted(exit)) return { lines: [...lines, "ENDED BEFORE THE STOP"], after }
    yield* Effect.orDie(Stream.runForEach(onStop, (event) => Effect.sync(() => void after.push(line(event)))))
    return { lines, after }
  })

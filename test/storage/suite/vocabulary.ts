/** The words that storage tests are written in. */
import type { Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import type { Audit } from "../../../src/storage/Audit.ts"
import type { Files } from "../../../src/storage/Files.ts"
import type { Flows, NewFlow } from "../../../src/storage/Flows.ts"
import type { Messages } from "../../../src/storage/Messages.ts"
import type { Recalls } from "../../../src/storage/Recalls.ts"
import type { Reports } from "../../../src/storage/Reports.ts"
import { type Acceptance, type Ending, type Entry, Runs } from "../../../src/storage/Runs.ts"
import type { NewMessage } from "../../../src/storage/rows.ts"
import type { Sessions } from "../../../src/storage/Sessions.ts"
import type { StorageHealth } from "../../../src/storage/StorageHealth.ts"
import type { Users } from "../../../src/storage/Users.ts"

export type Stores =
  | Runs
  | Sessions
  | Messages
  | Flows
  | Users
  | Audit
  | Files
  | Recalls
  | Reports
  | StorageHealth

export type It = Vitest.MethodsNonLive<Stores>

/** 32 hex digits that nobody else has. */
export const freshId = (): string => crypto.randomUUID().replaceAll("-", "")

/** A number that nobody else has, above what databases count to. */
export const freshUser = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0

/** A moment with a millisecond of its own, at the end of a day, month and year in UTC. */
export const someTime = Date.UTC(2025, 11, 31, 23, 59, 59, 123)

export const itIs = (time: number) => TestClock.setTime(time)

/** Many at once, on the real clock: whoever loses a race waits a moment and tries again. */
export const race = <A, E, R>(contenders: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  TestServices.provideLive(Effect.all(contenders, { concurrency: "unbounded" }))

export const times = <A>(n: number, make: (i: number) => A): ReadonlyArray<A> =>
  Array.from({ length: n }, (_, i) => make(i))

type Asking = Partial<Omit<Acceptance, "session" | "question">> & {
  readonly session?: Partial<Acceptance["session"]>
  readonly question?: Partial<NewMessage>
}

export const question = (asking: Asking = {}): Acceptance => ({
  runId: freshId(),
  action: "default",
  owner: "node-1",
  clientMsgId: null,
  payload: "",
  entry: { startNow: false, onBusy: "enqueue", maxQueued: 100 },
  ...asking,
  session: {
    chatId: freshId(),
    flowId: "0".repeat(32),
    flowType: 5,
    flowName: "an app",
    name: "",
    userId: 7,
    ip: "127.0.0.1",
    ...asking.session
  },
  question: { is_bot: false, type: "over", category: "question", message: "why?", ...asking.question }
})

export const answer = (message: string, more: Partial<NewMessage> = {}): NewMessage => ({
  is_bot: true,
  type: "end",
  category: "answer",
  message,
  ...more
})

export const done = (...messages: ReadonlyArray<NewMessage>): Ending => ({
  status: "done",
  error: "",
  promptTokens: 3,
  completionTokens: 5,
  messages
})

/** A question of this chat that may run at once; its text is what the tests know it by. */
export const asked = (chatId: string, message: string, more: Partial<Entry> = {}) =>
  Effect.flatMap(Runs, (runs) =>
    runs.accept(
      question({
        session: { chatId },
        question: { message },
        payload: message,
        entry: { startNow: true, onBusy: "enqueue", maxQueued: 100, ...more }
      })
    )
  )

export const runOf = (runId: string) =>
  Effect.flatMap(Runs, (runs) => Effect.map(runs.get(runId), Option.getOrThrow))

export const payloads = (runs: Iterable<{ readonly payload: string }>): ReadonlyArray<string> =>
  Array.from(runs, ({ payload }) => payload)

/** What runs or waits in this chat. */
export const queueOf = (chatId: string) =>
  Effect.flatMap(Runs, (runs) => Effect.map(runs.queue(chatId), payloads))

/** A question accepted, started and answered; answers the run. */
export const round = (chatId: string, text: string, ending: Partial<Ending> = {}) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const { run } = yield* runs.accept(question({ session: { chatId }, question: { message: text } }))
    yield* runs.dequeue(run.chat_id, run.owner)
    yield* runs.finish(run.id, { ...done(answer(`${text}!`)), ...ending })
    return run
  })

export const app = (more: Partial<NewFlow> = {}): NewFlow => ({
  id: freshId(),
  name: "an app",
  description: "",
  flow_type: 5,
  status: 1,
  user_id: 7,
  data: { prompt: "be kind" },
  ...more
})

/**
 * Where a session's questions and answers are kept, and what the model is reminded of. One journal a
 * session: `stored` writes to the database; `unsaved` is debug mode, and forgets everything with it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { ModelMessage } from "../model/LanguageModel.ts"
import { Messages } from "../storage/Messages.ts"
import { type Acceptance, type Ending, Runs, type Wait } from "../storage/Runs.ts"
import { retried } from "../storage/retried.ts"
import type { ChatMessage, NewMessage, Run, RunStatus } from "../storage/rows.ts"
import { Sessions } from "../storage/Sessions.ts"
import type { ChatBusy, ChatFull, SessionTaken, StorageError } from "../storage/StorageError.ts"
import { remembered } from "./memory.ts"

/** How many complete rounds of the conversation the model is given. */
export const memoryRounds = 10

/** The actions whose inputs stay with the chat: later questions are asked of the app filled in like that. */
export const fillingActions: ReadonlyArray<string> = ["auto_file", "report"]

const decodeExtra = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Struct({ inputs: Schema.Record({ key: Schema.String, value: Schema.Unknown }) }))
)

export const inputsIn = (extra: string) => Option.map(decodeExtra(extra), ({ inputs }) => inputs)

/** A run as far as a session needs to know it. */
export interface KnownRun {
  readonly runId: string
  readonly status: RunStatus
  readonly questionId: number | null
  readonly userId: number
  readonly owner: string
  readonly action: string
  readonly clientMsgId: string | null
  /** What its question needs to be run later. */
  readonly payload: string
  readonly error: string
  /** What it had streamed at its last checkpoint. */
  readonly partial: { readonly text: string; readonly reasoning: string }
}

/** A run that waits for a person, and what it keeps for that. */
export interface WaitingRun {
  readonly run: KnownRun
  readonly state: string
}

/** The last complete rounds of the conversation, oldest first. */
export type Memory = Effect.Effect<ReadonlyArray<ModelMessage>, StorageError>

export interface Journal {
  /** `ahead`: what runs or waits before it. */
  readonly accept: (
    acceptance: Acceptance
  ) => Effect.Effect<
    { readonly run: KnownRun; readonly fresh: boolean; readonly ahead: ReadonlyArray<KnownRun> },
    SessionTaken | ChatBusy | ChatFull | StorageError
  >
  readonly find: (clientMsgId: string) => Effect.Effect<Option.Option<KnownRun>, StorageError>
  readonly get: (runId: string) => Effect.Effect<Option.Option<KnownRun>, StorageError>
  /** The next question of the queue, which is running from here on; none while another one runs. */
  readonly dequeue: (owner: string) => Effect.Effect<Option.Option<KnownRun>, StorageError>
  /** Whether a question is in the queue, and none runs. */
  readonly waits: Effect.Effect<boolean, StorageError>
  /** Takes a question, or all with null, out of the queue; answers those that were still in it. */
  readonly cancel: (
    runId: string | null,
    owner: string
  ) => Effect.Effect<ReadonlyArray<KnownRun>, StorageError>
  /** Whoever waits for these runs, which ended while they waited, knows of their end. */
  readonly told: (runIds: ReadonlyArray<string>) => Effect.Effect<void, StorageError>
  /** The rows' ids, or null for each that is not kept. */
  readonly record: (
    runId: string,
    messages: ReadonlyArray<NewMessage>
  ) => Effect.Effect<ReadonlyArray<number | null>, StorageError>
  /** The same for messages that hold what was streamed so far. */
  readonly settle: Journal["record"]
  readonly finish: (
    runId: string,
    ending: Ending
  ) => Effect.Effect<ReadonlyArray<number | null>, StorageError>
  /** The run waits for a person from here on. */
  readonly park: (runId: string, wait: Wait) => Effect.Effect<void, StorageError>
  /** The reply's message id, or null where it is not kept; none where the run does not wait. */
  readonly resume: (
    runId: string,
    reply: NewMessage,
    owner: string
  ) => Effect.Effect<Option.Option<number | null>, StorageError>
  /** The run of this chat that waits. */
  readonly waiting: Effect.Effect<Option.Option<WaitingRun>, StorageError>
  /** Makes a run that broke off go on; false where it has not. */
  readonly reopen: (runId: string, owner: string) => Effect.Effect<boolean, StorageError>
  /** What the app's form was last filled in with, in this chat: the `inputs` of that question. */
  readonly filling: Effect.Effect<Option.Option<Readonly<Record<string, unknown>>>, StorageError>
  /** What is stored of a run. */
  readonly past: (runId: string) => Effect.Effect<ReadonlyArray<ChatMessage>, StorageError>
  readonly rollback: (runId: string) => Effect.Effect<void, StorageError>
  readonly memory: Memory
  readonly forget: Effect.Effect<void, StorageError>
}

const known = (run: Run): KnownRun => ({
  runId: run.id,
  status: run.status,
  questionId: run.question_id,
  userId: run.user_id,
  owner: run.owner,
  action: run.action,
  clientMsgId: run.client_msg_id,
  payload: run.payload,
  error: run.error,
  partial: { text: run.partial_text, reasoning: run.partial_reasoning }
})

/** A question that has begun is not given up because the database is away for a moment. */
const aWhile = Schedule.exponential("100 millis").pipe(
  Schedule.union(Schedule.spaced("1 second")),
  Schedule.upTo("30 seconds")
)

/** Makes the journal of a chat over the stores. */
export const storedJournals = Effect.gen(function* () {
  const runs = yield* Runs
  const messages = yield* Messages
  const sessions = yield* Sessions
  return (chatId: string): Journal => ({
    accept: (acceptance) =>
      Effect.map(runs.accept(acceptance), ({ run, fresh, ahead }) => ({
        run: known(run),
        fresh,
        ahead: ahead.map(known)
      })),
    find: (clientMsgId) => Effect.map(runs.find(chatId, clientMsgId), Option.map(known)),
    get: (runId) => Effect.map(runs.get(runId), Option.map(known)),
    dequeue: (owner) => Effect.map(runs.dequeue(chatId, owner), Option.map(known)),
    waits: runs.waits(chatId),
    cancel: (runId, owner) =>
      Effect.map(runs.cancel(chatId, runId, owner), (cancelled) => cancelled.map(known)),
    told: runs.told,
    record: runs.record,
    settle: runs.settle,
    finish: runs.finish,
    park: runs.park,
    resume: runs.resume,
    waiting: Effect.map(
      runs.waiting(chatId),
      Option.map(({ run, state }) => ({ run: known(run), state }))
    ),
    reopen: runs.reopen,
    filling: Effect.map(messages.latestFilling(chatId, fillingActions), Option.flatMap(inputsIn)),
    past: messages.ofRun,
    rollback: runs.rollback,
    memory: Effect.map(retried(messages.memory(chatId, memoryRounds), aWhile), remembered),
    forget: sessions.forget(chatId)
  })
})

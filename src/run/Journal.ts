/**
 * Where a session's questions and answers are kept, and what the model is reminded of. One journal a
 * session: `stored` writes to the database; `unsaved` is debug mode, and forgets everything with it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ModelMessage } from "../model/LanguageModel.ts"
import { Messages } from "../storage/Messages.ts"
import { type Acceptance, type Ending, Runs, type Wait } from "../storage/Runs.ts"
import type { ChatMessage, NewMessage, Run, RunStatus, WaitingRun } from "../storage/rows.ts"
import { Sessions } from "../storage/Sessions.ts"
import type { SessionTaken, StorageError } from "../storage/StorageError.ts"
import { remembered } from "./memory.ts"

/** How many complete rounds of the conversation the model is given. */
const memoryRounds = 10

/** The actions whose inputs stay with the chat: later questions are asked of the app filled in like that. */
export const fillingActions: ReadonlyArray<string> = ["auto_file", "report"]

const decodeExtra = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Struct({ inputs: Schema.Record({ key: Schema.String, value: Schema.Unknown }) }))
)

const inputsIn = (extra: string) => Option.map(decodeExtra(extra), ({ inputs }) => inputs)

/** A run as far as a session needs to know it. */
export interface KnownRun {
  readonly runId: string
  readonly status: RunStatus
  readonly questionId: number | null
}

export interface Journal {
  readonly accept: (
    acceptance: Acceptance
  ) => Effect.Effect<{ readonly run: KnownRun; readonly fresh: boolean }, SessionTaken | StorageError>
  readonly find: (clientMsgId: string) => Effect.Effect<Option.Option<KnownRun>, StorageError>
  readonly start: (runId: string) => Effect.Effect<void, StorageError>
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
    reply: NewMessage
  ) => Effect.Effect<Option.Option<number | null>, StorageError>
  /** The run of this chat that waits, from an earlier life of the session. */
  readonly waiting: Effect.Effect<Option.Option<WaitingRun>, StorageError>
  /** Makes a run that broke off go on; false where it has not. */
  readonly reopen: (runId: string, owner: string) => Effect.Effect<boolean, StorageError>
  /** What the app's form was last filled in with, in this chat: the `inputs` of that question. */
  readonly filling: Effect.Effect<Option.Option<Readonly<Record<string, unknown>>>, StorageError>
  /** What is stored of a run. */
  readonly past: (runId: string) => Effect.Effect<ReadonlyArray<ChatMessage>, StorageError>
  readonly rollback: (runId: string) => Effect.Effect<void, StorageError>
  /** The last complete rounds, oldest first. */
  readonly memory: Effect.Effect<ReadonlyArray<ModelMessage>, StorageError>
  readonly forget: Effect.Effect<void, StorageError>
}

const known = (run: Run): KnownRun => ({ runId: run.id, status: run.status, questionId: run.question_id })

/** Makes the journal of a chat over the stores. */
export const storedJournals = Effect.gen(function* () {
  const runs = yield* Runs
  const messages = yield* Messages
  const sessions = yield* Sessions
  return (chatId: string): Journal => ({
    accept: (acceptance) =>
      Effect.map(runs.accept(acceptance), ({ run, fresh }) => ({ run: known(run), fresh })),
    find: (clientMsgId) => Effect.map(runs.find(chatId, clientMsgId), Option.map(known)),
    start: runs.start,
    record: runs.record,
    settle: runs.settle,
    finish: runs.finish,
    park: runs.park,
    resume: runs.resume,
    waiting: runs.waiting(chatId),
    reopen: runs.reopen,
    filling: Effect.map(messages.latestFilling(chatId, fillingActions), Option.flatMap(inputsIn)),
    past: messages.ofRun,
    rollback: runs.rollback,
    memory: Effect.map(messages.memory(chatId, memoryRounds), remembered),
    forget: sessions.forget(chatId)
  })
})

interface UnsavedRound {
  readonly runId: string
  readonly action: string
  readonly clientMsgId: string | null
  status: RunStatus
  readonly messages: Array<NewMessage>
}

/** Keeps only what the model is reminded of, in process. */
export const unsavedJournal = (): Journal => {
  let rounds: Array<UnsavedRound> = []
  const roundOf = (runId: string) => rounds.find((round) => round.runId === runId)
  const known = (round: UnsavedRound): KnownRun => ({
    runId: round.runId,
    status: round.status,
    questionId: null
  })
  const byClient = (clientMsgId: string) => rounds.find((round) => round.clientMsgId === clientMsgId)
  const keep = (runId: string, messages: ReadonlyArray<NewMessage>) => {
    roundOf(runId)?.messages.push(...messages)
    return messages.map(() => null)
  }
  return {
    accept: (acceptance) =>
      Effect.sync(() => {
        const before = acceptance.clientMsgId === null ? undefined : byClient(acceptance.clientMsgId)
        if (before !== undefined) return { run: known(before), fresh: false }
        const round: UnsavedRound = {
          runId: acceptance.runId,
          action: acceptance.action,
          clientMsgId: acceptance.clientMsgId,
          status: "queued",
          messages: [acceptance.question]
        }
        rounds = [...rounds.slice(-memoryRounds), round]
        return { run: known(round), fresh: true }
      }),
    find: (clientMsgId) => Effect.sync(() => Option.map(Option.fromNullable(byClient(clientMsgId)), known)),
    start: (runId) =>
      Effect.sync(() => {
        const round = roundOf(runId)
        if (round !== undefined) round.status = "running"
      }),
    record: (runId, messages) => Effect.sync(() => keep(runId, messages)),
    settle: (runId, messages) => Effect.sync(() => keep(runId, messages)),
    park: (runId) =>
      Effect.sync(() => {
        const round = roundOf(runId)
        if (round !== undefined) round.status = "waiting_input"
      }),
    resume: (runId, reply) =>
      Effect.sync(() => {
        const round = roundOf(runId)
        if (round?.status !== "waiting_input") return Option.none()
        round.status = "running"
        round.messages.push(reply)
        return Option.some(null)
      }),
    // Debug mode lives and dies with its socket: there is no earlier life.
    waiting: Effect.succeedNone,
    reopen: () => Effect.succeed(false),
    filling: Effect.sync(() =>
      Option.flatMap(
        Option.fromNullable(rounds.findLast(({ action }) => fillingActions.includes(action))),
        ({ messages: [question] }) => inputsIn(question?.extra ?? "")
      )
    ),
    past: () => Effect.succeed([]),
    finish: (runId, ending) =>
      Effect.sync(() => {
        const round = roundOf(runId)
        if (round !== undefined) round.status = ending.status
        return keep(runId, ending.messages)
      }),
    rollback: (runId) =>
      Effect.sync(() => {
        rounds = rounds.filter((round) => round.runId !== runId)
      }),
    memory: Effect.sync(() =>
      remembered(rounds.filter((round) => round.status === "done").flatMap((round) => round.messages))
    ),
    forget: Effect.sync(() => {
      rounds = rounds.filter((round) => round.status === "queued" || round.status === "running")
    })
  }
}

/**
 * Runs and what they write. A run is the unit of atomicity: its question is accepted with it in one
 * transaction, and its last messages are stored with its end in one transaction, so that a crash at any
 * moment leaves either all of a step or none of it.
 *
 * Promises, for every layer:
 * - `accept` of a `(chat_id, client_msg_id)` that was accepted before changes nothing and answers that run.
 * - The first accepted question of a chat makes its session row and one audit row, however many race.
 * - Messages of one chat get increasing ids in the order their calls return.
 * - A chat's questions form a queue of those `queued`, in the order of `queue_rank` and then of their ids. `accept`,
 *   `dequeue`, `cancel` and `amend` act on it one at a time, whichever nodes call them: a question leaves the
 *   queue once, and while a run of the chat is `running` neither `accept` nor `dequeue` makes another one run.
 * - A run that ends while it waits, for its turn or for a person, is `untold` from the same moment on, until `told`:
 *   whoever ends it may be gone before it can say so.
 * - `accept` refuses with `ChatBusy` or `ChatFull` before anything is stored, and never a question that it knows.
 * - A run that waits for a person is in nobody's way: it neither runs nor waits for its turn.
 * - `finish` acts once: on a run that has ended already it changes nothing and answers no ids. `record` and
 *   `checkpoint` leave such a run alone too. `rollback` is for ended runs; a second one finds nothing to remove.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { FlowType, NewMessage, Run, RunStatus, WaitingRun } from "./rows.ts"
import type { ChatBusy, ChatFull, SessionTaken, StorageError } from "./StorageError.ts"

export interface Acceptance {
  readonly runId: string
  readonly action: string
  readonly owner: string
  readonly clientMsgId: string | null
  readonly session: {
    readonly chatId: string
    readonly flowId: string
    readonly flowType: FlowType
    readonly flowName: string
    /** What a new session is called until its owner renames it. */
    readonly name: string
    readonly userId: number
    /** The asker's address, for the audit row. */
    readonly ip: string
  }
  readonly question: NewMessage
  /** What the caller needs to run it later. */
  readonly payload: string
  readonly entry: Entry
}

/** How a question comes to run beside others of its chat. */
export interface Entry {
  /** `running` at once where nothing of the chat runs or waits. */
  readonly startNow: boolean
  /** "front": before all that waits. */
  readonly onBusy: "enqueue" | "reject" | "front"
  readonly maxQueued: number
}

export interface Accepted {
  readonly run: Run
  /** false: this question had been accepted before. */
  readonly fresh: boolean
  /** What runs or waits before it, in order; nothing for a repeat. */
  readonly ahead: ReadonlyArray<Run>
}

export interface Ending {
  readonly status: Exclude<RunStatus, "queued" | "running" | "waiting_input">
  readonly error: string
  readonly promptTokens: number
  readonly completionTokens: number
  /** Stored in this order, in the same transaction. */
  readonly messages: ReadonlyArray<NewMessage>
}

/** What a run needs to go on once a person has replied. */
export interface Wait {
  /** JSON text. */
  readonly state: string
  readonly until: Date
}

/** Text that came since the last checkpoint, to be added to the run's partial answer. */
export interface Checkpoint {
  readonly runId: string
  readonly text: string
  readonly reasoning: string
  /** true: it is the whole of it, and not to be added. */
  readonly replaces?: boolean
}

export interface RunStore {
  /** Session, audit, question and run, in one transaction. */
  readonly accept: (
    acceptance: Acceptance
  ) => Effect.Effect<Accepted, SessionTaken | ChatBusy | ChatFull | StorageError>
  /** The first of the queue → `running`. None where the queue is empty, or a run of the chat is `running`. */
  readonly dequeue: (chatId: string, owner: string) => Effect.Effect<Option.Option<Run>, StorageError>
  /** Whether a question of the chat is `queued`, and none `running`. */
  readonly waits: (chatId: string) => Effect.Effect<boolean, StorageError>
  /** What runs, and what waits for its turn, in order. */
  readonly queue: (chatId: string) => Effect.Effect<ReadonlyArray<Run>, StorageError>
  /** `queued` → `stopped`: one run, or all of the chat with null. Answers those that were queued, the owner's now. */
  readonly cancel: (
    chatId: string,
    runId: string | null,
    owner: string
  ) => Effect.Effect<ReadonlyArray<Run>, StorageError>
  /** Runs whose end somebody may not know, at most `limit`, the earliest end first. */
  readonly untold: (limit: number) => Effect.Effect<ReadonlyArray<Run>, StorageError>
  /** Whoever waits for these runs knows of their end. */
  readonly told: (runIds: ReadonlyArray<string>) => Effect.Effect<void, StorageError>
  /** Changes a queued question. False where it is not queued any more. */
  readonly amend: (
    runId: string,
    change: { readonly message: string; readonly payload: string }
  ) => Effect.Effect<boolean, StorageError>
  /** Stores messages in the middle of a run, and answers their ids in order. */
  readonly record: (
    runId: string,
    messages: ReadonlyArray<NewMessage>
  ) => Effect.Effect<ReadonlyArray<number>, StorageError>
  /** The same for messages that hold what the partial answer held: it is cleared with them. */
  readonly settle: (
    runId: string,
    messages: ReadonlyArray<NewMessage>
  ) => Effect.Effect<ReadonlyArray<number>, StorageError>
  /** Unended → `waiting_input`: nothing runs until `resume`. Clears the partial answer. */
  readonly park: (runId: string, wait: Wait) => Effect.Effect<void, StorageError>
  /** `waiting_input` → `running`, with the reply's message. None, and nothing done, where it does not wait. */
  readonly resume: (
    runId: string,
    reply: NewMessage,
    owner: string
  ) => Effect.Effect<Option.Option<number>, StorageError>
  /** The chat's run that waits. */
  readonly waiting: (chatId: string) => Effect.Effect<Option.Option<WaitingRun>, StorageError>
  /** Runs that have waited too long, at most `limit`, the longest first. */
  readonly overdue: (limit: number) => Effect.Effect<ReadonlyArray<WaitingRun>, StorageError>
  /** Stopped, failed or lost → `queued`, to go on where it broke off. False where it is in another state. */
  readonly reopen: (runId: string, owner: string) => Effect.Effect<boolean, StorageError>
  /** Adds to the partial answers of many runs, each of them whole or not at all; runs that have ended are left alone. */
  readonly checkpoint: (parts: ReadonlyArray<Checkpoint>) => Effect.Effect<void, StorageError>
  /** Ends a run, stores its last messages, answers their ids in order. Clears the partial answer. */
  readonly finish: (runId: string, ending: Ending) => Effect.Effect<ReadonlyArray<number>, StorageError>
  /** Removes every message of an ended run, its question included, and marks it `stopped`. */
  readonly rollback: (runId: string) => Effect.Effect<void, StorageError>
  readonly get: (runId: string) => Effect.Effect<Option.Option<Run>, StorageError>
  /** The run that this question of the client started, if it was accepted. */
  readonly find: (chatId: string, clientMsgId: string) => Effect.Effect<Option.Option<Run>, StorageError>
  /** Newest first, at most `limit`. */
  readonly ofChat: (chatId: string, limit: number) => Effect.Effect<ReadonlyArray<Run>, StorageError>
  /** Who has runs that have not ended and do not wait for a person. */
  readonly owners: Effect.Effect<ReadonlyArray<string>, StorageError>
  /** Runs of this owner that have not ended and do not wait for a person, oldest first. */
  readonly unfinished: (owner: string) => Effect.Effect<ReadonlyArray<Run>, StorageError>
}

export class Runs extends Context.Tag("colloquy/storage/Runs")<Runs, RunStore>() {}

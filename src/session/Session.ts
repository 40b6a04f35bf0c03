/**
 * One conversation, live: at most one run, the questions that wait behind it, and the log that every socket
 * reads. The one place that orders things. Each node that has sockets of it has one of these; the one with the
 * lease runs it.
 *
 * Promises:
 * - Questions run one at a time, in the order they were accepted.
 * - Every accepted question is told by exactly one `begin` and one `close`, in the log, in that order.
 * - `stop` interrupts the run's fiber at once; it waits for nobody but the run's own clean-up.
 * - A run outlives its sockets, until the orphan timeout, unless its app says otherwise.
 */
import type * as Effect from "effect/Effect"
import type {
  AppError,
  InvalidInput,
  Leaving,
  NotYours,
  Overloaded,
  QueueFull,
  SessionBusy
} from "../protocol/errors.ts"
import type { Address, Frame } from "../protocol/frames.ts"
import type { Ask, Reply, ResumePoint } from "../protocol/payloads.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { FrameLog } from "./FrameLog.ts"

export interface Asker {
  readonly userId: number
  readonly ip: string
}

export type StopScope = "run" | "all" | "drain"

/** What came of a question. */
export type AskOutcome =
  | { readonly _tag: "Begun"; readonly runId: string }
  | { readonly _tag: "Queued"; readonly runId: string; readonly position: number }
  /** It had been accepted before: `begin` is that run's first frame, said again. */
  | { readonly _tag: "Repeated"; readonly begin: Frame }

/** `Repeated`: this very reply came before, and has done its work. */
export type ReplyOutcome = { readonly _tag: "Taken" | "Repeated"; readonly runId: string }

export type AskError =
  | AppError
  | InvalidInput
  | SessionBusy
  | QueueFull
  | NotYours
  | Leaving
  | Overloaded
  | StorageError

export interface Session {
  readonly address: Address
  readonly userId: number
  readonly log: FrameLog
  /** The run that this node has in progress: other nodes' runs show in the log's standing. */
  readonly running: () => string | null
  /**
   * Counts a socket as present, and brings the log to where other nodes have told it, at least to where the
   * socket has seen it. What it answers counts the socket as gone again, once however often it is run.
   */
  readonly attend: (seen: ResumePoint | null) => Effect.Effect<Effect.Effect<void>>
  readonly ask: (ask: Ask, asker: Asker) => Effect.Effect<AskOutcome, AskError>
  /** Goes on with the run that waits, where the reply fits what it waits for. */
  readonly reply: (reply: Reply, asker: Asker) => Effect.Effect<ReplyOutcome, AskError>
  /** What to tell a client that does not know how things stand: what is being asked, or that nothing runs. */
  readonly checkStatus: Effect.Effect<ReadonlyArray<Frame>, AppError | StorageError>
  /** Ends a run that has waited too long; a run that does not wait is left alone. */
  readonly expire: (runId: string) => Effect.Effect<void>
  /**
   * Ends the run in progress or the one that waits for a person, and with "all" the queued questions too.
   * "drain" ends what would be lost with this server: a run that waits goes on elsewhere. Answers whether there
   * was a run. With `runId` only that run is ended, or taken out of the queue.
   */
  readonly stop: (scope: StopScope, runId?: string | null) => Effect.Effect<boolean>
  /** Goes on with what is this node's, and gives the session back where others take this node for its holder. */
  readonly look: Effect.Effect<void>
  /** Starts what waits in the queue, where no node runs the session. */
  readonly resume: Effect.Effect<void>
  /** Ends what a node that is gone has left: this run, and what the log says is in progress. */
  readonly takeOver: (runId: string | null) => Effect.Effect<void>
  /** Tells of a run that has ended while it waited, where whoever ended it could not. */
  readonly tellEnd: (runId: string) => Effect.Effect<void>
  /** Says a frame that is not kept to the native sockets, on whichever node they are. */
  readonly notify: (frame: Frame) => Effect.Effect<void>
  /** Another node runs the session from here on: what runs here ends without a word. */
  readonly depose: Effect.Effect<void>
  /** The model forgets what was said before now. */
  readonly clearHistory: Effect.Effect<void, StorageError>
}

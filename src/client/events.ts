/** What happens in a session, in words that need no knowledge of the wire. */
import type { ToolCategory } from "../protocol/frames.ts"
import type { HistoryPage } from "./history.ts"
import type { FileLink, Grounds, Progress } from "./messages.ts"
import type { Prompt } from "./prompts.ts"
import type { QueuedQuestion } from "./queue.ts"

/** Why something was not done. `code` is the server's (docs/protocol.md, "Errors"); 0 where it never got there. */
export interface ChatError {
  readonly code: number
  readonly message: string
  /** What exactly was wrong, when the server says more than the code does. */
  readonly detail: string
}

export interface Question {
  readonly messageId: number | null
  readonly text: string
  readonly userId: number
  readonly clientMsgId: string | null
}

export type ConnectionState =
  /** No session is open. */
  | { readonly status: "idle" }
  /** `attempt` counts from 0; above 0 the connection was lost before. */
  | { readonly status: "connecting"; readonly attempt: number }
  | { readonly status: "connected" }
  /** The next try is at `retryAt` (milliseconds since 1970). */
  | { readonly status: "waiting"; readonly attempt: number; readonly retryAt: number }
  /**
   * It will not come back by itself. `code` is that of the server's close frame, or 401 or 403 where it did not
   * let us in.
   */
  | { readonly status: "refused"; readonly code: number; readonly reason: string }

export type SessionEvent =
  /**
   * The server follows this session for us: after each connect, and at any moment when its log of the session
   * has become another one. `recovered: false`: what was received of the run in progress is void, its frames
   * come again from its start, and anything else may be newer in the history.
   */
  | {
      readonly type: "opened"
      readonly recovered: boolean
      readonly runId: string | null
    }
  | { readonly type: "connection"; readonly state: ConnectionState }
  /** Handed to the connection, or kept until there is one. */
  | {
      readonly type: "sending"
      readonly clientMsgId: string
      readonly text: string
      readonly at: number
    }
  /**
   * A question is stored by the server, to be answered after `position - 1` others and the run in progress; told
   * again when it has moved, or was changed. `text`: how it reads now, where that is said.
   */
  | {
      readonly type: "queued"
      readonly clientMsgId: string | null
      readonly runId: string
      readonly position: number
      readonly text: string | null
    }
  /** A waiting question was taken out of the queue. Its run is told later, as one that ended before it began. */
  | { readonly type: "cancelled"; readonly runId: string; readonly clientMsgId: string | null }
  /** All questions that wait for their turn, the next one first. */
  | { readonly type: "queue"; readonly questions: ReadonlyArray<QueuedQuestion> }
  /** A repeated question that the server had already: `status` is its run's. */
  | {
      readonly type: "accepted"
      readonly clientMsgId: string
      readonly runId: string
      readonly status: string
    }
  | {
      readonly type: "run_started"
      readonly runId: string
      readonly question: Question
      readonly at: number
    }
  | { readonly type: "text"; readonly runId: string; readonly text: string }
  | { readonly type: "reasoning"; readonly runId: string; readonly text: string }
  | { readonly type: "step"; readonly runId: string; readonly text: string }
  | {
      readonly type: "tool_started"
      readonly runId: string
      readonly toolId: string
      readonly kind: ToolCategory
      readonly name: string
      readonly input: string
    }
  | {
      readonly type: "tool_ended"
      readonly runId: string
      readonly toolId: string
      readonly output: string
      readonly failed: boolean
    }
  /** The whole answer, stored; it replaces what was streamed. */
  | ({
      readonly type: "answer"
      readonly runId: string
      readonly text: string
      readonly messageId: number | null
    } & Grounds)
  /** What a stopped or failed run had streamed, as it was stored. */
  | {
      readonly type: "partial"
      readonly runId: string
      readonly kind: "text" | "reasoning"
      readonly text: string
      readonly messageId: number | null
    }
  | { readonly type: "stopped"; readonly runId: string }
  | RunTelling
  /** The run waits for the person; it goes on with a reply. Told again where it was lost. */
  | { readonly type: "prompted"; readonly runId: string; readonly prompt: Prompt }
  /** A reply was handed to the connection, or kept until there is one. */
  | {
      readonly type: "replying"
      readonly runId: string
      readonly clientMsgId: string
      readonly nodeId: string
      readonly text: string
      readonly at: number
    }
  /** The run goes on after a reply, which is stored. */
  | {
      readonly type: "continued"
      readonly runId: string
      readonly reply: Question
      readonly at: number
    }
  /** A run failed (`runId`), a question was refused (`clientMsgId`), or the whole session was (neither). */
  | {
      readonly type: "failed"
      readonly runId: string | null
      readonly clientMsgId: string | null
      readonly error: ChatError
    }
  /** The run's last event, however it ended. */
  | { readonly type: "run_closed"; readonly runId: string }
  /** A stop found nothing to stop. */
  | { readonly type: "idle" }
  /** A page of stored messages arrived for the session's state. */
  | { readonly type: "history"; readonly page: HistoryPage }
  | { readonly type: "history_loading" }
  | { readonly type: "history_failed"; readonly error: ChatError }
  /** This reader was too slow: so many events before the next one were dropped. */
  | { readonly type: "missed"; readonly count: number }

/** What runs tell that are more than one question and its answer. */
export type RunTelling =
  /** Someone in a group chat begins to speak. */
  | { readonly type: "speaking"; readonly runId: string; readonly speaker: string }
  /** They said it; it replaces what was streamed of it. */
  | {
      readonly type: "utterance"
      readonly runId: string
      readonly speaker: string
      readonly to: { readonly name: string; readonly isSelf: boolean } | null
      readonly text: string
      readonly messageId: number | null
    }
  /** One of many questions begins. */
  | {
      readonly type: "row_asked"
      readonly runId: string
      readonly row: number
      readonly text: string
      readonly progress: Progress | null
      readonly messageId: number | null
    }
  /** It is answered; or, `failed`, could not be, and `text` says why. */
  | ({
      readonly type: "row_answered"
      readonly runId: string
      readonly row: number
      readonly text: string
      readonly failed: boolean
      readonly progress: Progress | null
      readonly messageId: number | null
    } & Grounds)
  /** One line on what goes on. */
  | { readonly type: "notice"; readonly runId: string; readonly text: string }
  /** All answers in one, as Markdown. */
  | {
      readonly type: "gathered"
      readonly runId: string
      readonly text: string
      readonly messageId: number | null
    }
  /** A file was made. */
  | {
      readonly type: "file"
      readonly runId: string
      readonly name: string
      readonly url: string
      readonly unfilled: ReadonlyArray<string>
      readonly messageId: number | null
    }
  /** A line across the conversation. */
  | {
      readonly type: "divider"
      readonly runId: string
      readonly text: string
      readonly messageId: number | null
    }
  /** How a workflow greets. */
  | { readonly type: "guide"; readonly runId: string; readonly text: string }
  /** Questions to begin with. */
  | { readonly type: "starters"; readonly runId: string; readonly questions: ReadonlyArray<string> }
  | {
      readonly type: "node_started"
      readonly runId: string
      readonly uniqueId: string
      readonly nodeId: string
      readonly name: string
      readonly at: number
    }
  | {
      readonly type: "node_ended"
      readonly runId: string
      readonly uniqueId: string
      /** Why it failed; "" where it did not. */
      readonly reason: string
      readonly log: unknown
      readonly at: number
    }
  /** A piece of what a node writes. `stream` tells texts apart that are written side by side. */
  | {
      readonly type: "node_text"
      readonly runId: string
      readonly stream: string
      readonly name: string
      readonly text: string
      readonly reasoning: string
    }
  /** A node's whole message; with `stream` it replaces what was streamed. */
  | ({
      readonly type: "node_said"
      readonly runId: string
      readonly stream: string | null
      readonly name: string
      readonly text: string
      readonly reasoning: string
      readonly files: ReadonlyArray<FileLink>
      readonly messageId: number | null
    } & Grounds)

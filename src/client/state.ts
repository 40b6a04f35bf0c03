/**
 * A session as a page shows it, folded from its events by a pure function: `reduce(state, event)`. The same
 * events give the same state, wherever they come from.
 */
import { accepted, changeReply, changeUser, sending, united } from "./asked.ts"
import type { ChatError, ConnectionState, SessionEvent } from "./events.ts"
import type { StoredMessage } from "./history.ts"
import {
  type AssistantMessage,
  emptyAnswer,
  type Message,
  type ToolUse,
  type UserMessage
} from "./messages.ts"
import { ended, tell } from "./parts.ts"
import { asking, asks, continued, replying } from "./prompting.ts"
import type { Prompt } from "./prompts.ts"
import { cancelled, departed, type QueuedQuestion, queued, queueRead, waitingIn } from "./queue.ts"
import { changeRun, partly, streaming } from "./runs.ts"
import { settled } from "./settled.ts"
import { withHistory } from "./stored.ts"

export interface ChatState {
  readonly messages: ReadonlyArray<Message>
  /**
   * submitted: asked, nothing of the answer yet · streaming · waiting: for a reply to `waiting` · ready for a
   * question · error: the last one failed.
   */
  readonly status: "submitted" | "streaming" | "waiting" | "ready" | "error"
  /** What the run asks the person now: answer it with `session.reply`. null: nothing. */
  readonly waiting: Prompt | null
  /** All that it asks, where branches of a workflow ask side by side; those with a `replyId` are being answered. */
  readonly prompts: ReadonlyArray<Prompt>
  /** What waits for its turn, the next one first. Whole where the session keeps its history. */
  readonly queue: ReadonlyArray<QueuedQuestion>
  readonly error: ChatError | null
  readonly runId: string | null
  readonly connection: ConnectionState
  /** The stored messages known so far, oldest first; `messages` shows them with what happened since. */
  readonly stored: ReadonlyArray<StoredMessage>
  /** Ask for older messages with this; null: there are none, or nothing was loaded. */
  readonly before: number | null
  readonly history: "none" | "loading" | "loaded" | "failed"
}

export const initialState: ChatState = {
  messages: [],
  status: "ready",
  waiting: null,
  prompts: [],
  queue: [],
  error: null,
  runId: null,
  connection: { status: "idle" },
  stored: [],
  before: null,
  history: "none"
}

export const reduce = (state: ChatState, event: SessionEvent): ChatState => {
  switch (event.type) {
    case "connection":
      return { ...state, connection: event.state }
    case "opened":
      return opened(state, event)
    case "sending":
      return sending(state, event)
    case "queued":
      return settled(queued(state, event))
    case "cancelled":
      return settled(cancelled(state, event))
    case "queue":
      return settled(queueRead(state, event))
    case "accepted":
      return accepted(state, event)
    case "run_started":
      return runStarted(state, event)
    case "text":
      return streaming(state, event.runId, (run) => ({ ...run, text: run.text + event.text }))
    case "reasoning":
      return streaming(state, event.runId, (run) => ({ ...run, reasoning: run.reasoning + event.text }))
    case "step":
      return streaming(state, event.runId, (run) => ({ ...run, steps: [...run.steps, event.text] }))
    case "tool_started": {
      const { toolId: id, kind, name, input } = event
      const tool: ToolUse = { id, kind, name, input, output: null, failed: false }
      return streaming(state, event.runId, (run) => ({ ...run, tools: [...run.tools, tool] }))
    }
    case "tool_ended": {
      const { output, failed } = event
      return streaming(state, event.runId, (run) => ({
        ...run,
        tools: run.tools.map((tool) => (tool.id === event.toolId ? { ...tool, output, failed } : tool))
      }))
    }
    case "answer": {
      const { text, messageId, source, links, pair } = event
      const whole = { text, messageId, source, links, pair, status: "done" } as const
      return changeRun(state, event.runId, (run) => ({ ...run, ...whole }))
    }
    case "partial":
      return changeRun(state, event.runId, (run) => partly(run, event))
    case "stopped":
      return changeRun(state, event.runId, (run) => ({ ...ended(run), status: "stopped" }))
    case "prompted":
      return asks(state, event.prompt)
    case "replying":
      return replying(state, event)
    case "continued":
      return continued(state, event)
    case "failed":
      return failed(state, event)
    case "run_closed":
      return runClosed(state, event.runId)
    case "idle":
      return settled(state)
    case "history_loading":
      return { ...state, history: "loading" }
    case "history_failed":
      return { ...state, history: "failed" }
    case "history": {
      const loaded = withHistory(state, event.page)
      return { ...loaded, messages: waitingIn(loaded.messages, loaded.queue) }
    }
    case "missed":
      return state
    default:
      return streaming(state, event.runId, (run) => tell(run, event))
  }
}

type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>

/** The error of a run whose server died: docs/protocol.md, "Errors". */
const serverGone = 13015

const opened = (before: ChatState, { recovered, runId }: Of<"opened">): ChatState => {
  if (recovered && runId !== null) return settled({ ...before, runId })
  // What was asked is told again, if it is still asked.
  const state = asking(before, [])
  if (recovered) return settled({ ...state, runId })
  // What was streamed of a run is void: a run in progress is told again, an ended one is in the history.
  const messages = state.messages.filter((message) => message.role === "user" || message.status !== "running")
  return settled({ ...state, messages, runId, status: runId === null ? "ready" : "submitted", error: null })
}

const runStarted = (state: ChatState, { runId, question, at }: Of<"run_started">): ChatState => {
  const { messages: all } = united(state, question.clientMsgId, runId)
  const isIts = (message: Message): message is UserMessage =>
    message.role === "user" &&
    ((question.clientMsgId !== null && message.clientMsgId === question.clientMsgId) ||
      (question.messageId !== null && message.messageId === question.messageId) ||
      message.runId === runId)
  const known = all.find(isIts)
  const asked: UserMessage = {
    role: "user",
    id: known?.id ?? question.clientMsgId ?? `q:${runId}`,
    messageId: question.messageId,
    clientMsgId: question.clientMsgId,
    runId,
    text: question.text || (known?.text ?? ""),
    delivery: "sent",
    error: null,
    createdAt: known?.createdAt ?? at
  }
  const answer: AssistantMessage = { ...emptyAnswer(runId), createdAt: at }
  const before = all.filter((message) => message.role === "user" || message.runId !== runId)
  const messages =
    known === undefined
      ? [...before, asked, answer]
      : before.flatMap((message): Array<Message> => (message === known ? [asked, answer] : [message]))
  const queue = departed(state.queue, runId)
  return { ...asking(state, []), messages, queue, runId, status: "submitted", error: null }
}

const failed = (state: ChatState, { runId, clientMsgId, error }: Of<"failed">): ChatState => {
  if (runId !== null) {
    const status = error.code === serverGone ? "lost" : "failed"
    return changeRun({ ...state, error }, runId, (run) => ({ ...run, status, error }))
  }
  if (clientMsgId === null) return settled({ ...state, error })
  const refused = { delivery: "failed", error } as const
  const marked = changeReply(changeUser({ ...state, error }, clientMsgId, refused), clientMsgId, refused)
  // What a refused reply was for is still asked.
  const free = (prompt: Prompt) => (prompt.replyId === clientMsgId ? { ...prompt, replyId: null } : prompt)
  return settled(asking(marked, marked.prompts.map(free)))
}

const runClosed = (state: ChatState, runId: string): ChatState => {
  const over = asking(
    state,
    state.prompts.filter((prompt) => prompt.runId !== runId)
  )
  const closed = changeRun(over, runId, (run) => ({
    ...ended(run),
    status: run.status === "running" ? "done" : run.status,
    tools: run.tools.map((tool) => (tool.output === null ? { ...tool, output: "", failed: true } : tool))
  }))
  return settled({ ...closed, runId: closed.runId === runId ? null : closed.runId })
}

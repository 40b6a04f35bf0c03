/**
 * A session as a page shows it, folded from its events by a pure function: `reduce(state, event)`. The same
 * events give the same state, wherever they come from.
 */
import type { ChatError, ConnectionState, SessionEvent } from "./events.ts"
import type { StoredMessage } from "./history.ts"
import {
  type AssistantMessage,
  emptyAnswer,
  type Message,
  type ToolUse,
  type UserMessage
} from "./messages.ts"
import { withHistory } from "./stored.ts"

export interface ChatState {
  readonly messages: ReadonlyArray<Message>
  /** submitted: asked, nothing of the answer yet · streaming · ready for a question · error: the last one failed. */
  readonly status: "submitted" | "streaming" | "ready" | "error"
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
      return settled(changeUser(state, event.clientMsgId, { delivery: "queued", runId: event.runId }))
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
      const { text, messageId, source } = event
      return changeRun(state, event.runId, (run) => ({ ...run, text, messageId, source, status: "done" }))
    }
    case "partial":
      return changeRun(state, event.runId, (run) =>
        event.kind === "text"
          ? { ...run, text: event.text, messageId: event.messageId }
          : { ...run, reasoning: event.text }
      )
    case "stopped":
      return changeRun(state, event.runId, (run) => ({ ...run, status: "stopped" }))
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
    case "history":
      return withHistory(state, event.page)
    case "missed":
      return state
  }
}

type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>

/** ready, unless something runs, waits or has failed. */
const settled = (state: ChatState): ChatState => {
  if (state.runId !== null) return state
  const waits = state.messages.some(
    (message) => message.role === "user" && (message.delivery === "sending" || message.delivery === "queued")
  )
  if (waits) return { ...state, status: "submitted" }
  return { ...state, status: state.error === null ? "ready" : "error" }
}

const opened = (state: ChatState, { recovered, runId }: Of<"opened">): ChatState => {
  if (recovered) return settled({ ...state, runId })
  // What was streamed of a run is void: a run in progress is told again, an ended one is in the history.
  const messages = state.messages.filter((message) => message.role === "user" || message.status !== "running")
  return settled({ ...state, messages, runId, status: runId === null ? "ready" : "submitted", error: null })
}

const sending = (state: ChatState, { clientMsgId, text, at }: Of<"sending">): ChatState => {
  const asked: UserMessage = {
    role: "user",
    id: clientMsgId,
    messageId: null,
    clientMsgId,
    runId: null,
    text,
    delivery: "sending",
    error: null,
    createdAt: at
  }
  // Asking again after a failure: the same question, not a second one.
  const others = state.messages.filter(
    (message) => message.role === "assistant" || message.clientMsgId !== clientMsgId
  )
  return settled({ ...state, error: null, messages: [...others, asked] })
}

/** The question of a run that the server had already. An ended run's answer is in the history. */
const accepted = (state: ChatState, { clientMsgId, runId, status }: Of<"accepted">): ChatState => {
  const delivery = status === "queued" ? "queued" : "sent"
  return settled(changeUser(state, clientMsgId, { delivery, runId }))
}

const runStarted = (state: ChatState, { runId, question, at }: Of<"run_started">): ChatState => {
  const isIts = (message: Message): message is UserMessage =>
    message.role === "user" &&
    ((question.clientMsgId !== null && message.clientMsgId === question.clientMsgId) ||
      (question.messageId !== null && message.messageId === question.messageId) ||
      message.runId === runId)
  const known = state.messages.find(isIts)
  const asked: UserMessage = {
    role: "user",
    id: known?.id ?? question.clientMsgId ?? `q:${runId}`,
    messageId: question.messageId,
    clientMsgId: question.clientMsgId,
    runId,
    text: question.text,
    delivery: "sent",
    error: null,
    createdAt: known?.createdAt ?? at
  }
  const answer: AssistantMessage = { ...emptyAnswer(runId), createdAt: at }
  const before = state.messages.filter((message) => message.role === "user" || message.runId !== runId)
  const messages =
    known === undefined
      ? [...before, asked, answer]
      : before.flatMap((message): Array<Message> => (message === known ? [asked, answer] : [message]))
  return { ...state, messages, runId, status: "submitted", error: null }
}

const failed = (state: ChatState, { runId, clientMsgId, error }: Of<"failed">): ChatState => {
  if (runId !== null) {
    return changeRun({ ...state, error }, runId, (run) => ({ ...run, status: "failed", error }))
  }
  if (clientMsgId === null) return settled({ ...state, error })
  return settled(changeUser({ ...state, error }, clientMsgId, { delivery: "failed", error }))
}

const runClosed = (state: ChatState, runId: string): ChatState => {
  const closed = changeRun(state, runId, (run) => ({
    ...run,
    status: run.status === "running" ? "done" : run.status,
    tools: run.tools.map((tool) => (tool.output === null ? { ...tool, output: "", failed: true } : tool))
  }))
  return settled({ ...closed, runId: closed.runId === runId ? null : closed.runId })
}

const changeUser = (state: ChatState, clientMsgId: string, change: Partial<UserMessage>): ChatState => ({
  ...state,
  messages: state.messages.map((message) =>
    message.role === "user" && message.clientMsgId === clientMsgId ? { ...message, ...change } : message
  )
})

const changeRun = (
  state: ChatState,
  runId: string,
  change: (run: AssistantMessage) => AssistantMessage
): ChatState => {
  // The run in progress is nearly always the last message: look from the end.
  const at = state.messages.findLastIndex(
    (message) => message.role === "assistant" && message.runId === runId
  )
  const found = state.messages[at]
  if (found === undefined || found.role !== "assistant") return state
  const changed = change(found)
  return { ...state, messages: state.messages.with(at, changed) }
}

const streaming = (
  state: ChatState,
  runId: string,
  change: (run: AssistantMessage) => AssistantMessage
): ChatState => ({ ...changeRun(state, runId, change), status: "streaming" })

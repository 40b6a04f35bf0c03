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
  type Part,
  type ReplyPart,
  type ToolUse,
  type UserMessage
} from "./messages.ts"
import { ended, openRow, prompted, replied, samePrompt, settle, tell, workOf } from "./parts.ts"
import type { Prompt } from "./prompts.ts"
import { cancelled, departed, type QueuedQuestion, queued, queueRead, waitingIn } from "./queue.ts"
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

/** ready, unless something runs, waits or has failed. */
const settled = (state: ChatState): ChatState => {
  if (state.runId !== null) return state
  if (state.waiting !== null) return { ...state, status: "waiting" }
  const waits = state.messages.some(
    (message) => message.role === "user" && (message.delivery === "sending" || message.delivery === "queued")
  )
  if (waits) return { ...state, status: "submitted" }
  return { ...state, status: state.error === null ? "ready" : "error" }
}

/** The same state with these prompts, and what comes of them. */
const asking = (state: ChatState, prompts: ReadonlyArray<Prompt>): ChatState => {
  const waiting = prompts.find(({ replyId }) => replyId === null) ?? null
  if (waiting !== null) return { ...state, prompts, waiting, status: "waiting" }
  return { ...state, prompts, waiting, status: state.status === "waiting" ? "submitted" : state.status }
}

/** The run waits. */
const asks = (state: ChatState, prompt: Prompt): ChatState => {
  const known = state.prompts.find(
    (other) => samePrompt(other, prompt) && other.messageId === prompt.messageId
  )
  const others = state.prompts.filter((other) => !samePrompt(other, prompt))
  const shown = changeRun(state, prompt.runId, (run) => prompted({ ...run, status: "running" }, prompt))
  return asking({ ...shown, runId: prompt.runId }, [...others, known ?? prompt])
}

const replying = (state: ChatState, event: Of<"replying">): ChatState => {
  const { clientMsgId, nodeId, runId, text, at } = event
  const reply: ReplyPart = {
    kind: "reply",
    id: clientMsgId,
    messageId: null,
    clientMsgId,
    text,
    delivery: "sending",
    error: null,
    createdAt: at
  }
  const shown = changeRun({ ...state, error: null }, runId, (run) => replied(run, reply))
  return asking(
    shown,
    state.prompts.map((prompt) =>
      prompt.runId === runId && prompt.nodeId === nodeId ? { ...prompt, replyId: clientMsgId } : prompt
    )
  )
}

const continued = (state: ChatState, { runId, reply, at }: Of<"continued">): ChatState => {
  const { clientMsgId, messageId, text } = reply
  const part: ReplyPart = {
    kind: "reply",
    id: clientMsgId ?? `${runId}:m${messageId}`,
    messageId,
    clientMsgId,
    text,
    delivery: "sent",
    error: null,
    createdAt: at
  }
  const going = changeRun({ ...state, runId, error: null }, runId, (run) =>
    text === "" ? { ...run, status: "running" } : replied({ ...run, status: "running" }, part)
  )
  // Whatever else is still asked, is asked again.
  return { ...asking(going, []), status: "submitted" }
}

/** What a run that broke off had streamed: of the row in progress, or of the run. */
const partly = (run: AssistantMessage, event: Of<"partial">): AssistantMessage => {
  if (event.kind === "reasoning") return { ...run, reasoning: event.text }
  const { text, messageId } = event
  const place = openRow(run)
  const row = run.parts[place]
  if (row?.kind !== "row") return { ...run, text, messageId }
  const part = { ...row, text, messageId, status: "stopped", work: workOf(run) } as const
  return { ...settle(run), parts: run.parts.with(place, part) }
}

const opened = (before: ChatState, { recovered, runId }: Of<"opened">): ChatState => {
  if (recovered && runId !== null) return settled({ ...before, runId })
  // What was asked is told again, if it is still asked.
  const state = asking(before, [])
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

/** A question that is there twice, as it was sent and as it is stored, is one: in the stored one's place. */
const united = (state: ChatState, clientMsgId: string | null, runId: string): ChatState => {
  const sent = state.messages.find(
    (message) => message.role === "user" && clientMsgId !== null && message.clientMsgId === clientMsgId
  )
  const stored = state.messages.find((message) => message.role === "user" && message.runId === runId)
  if (sent === undefined || stored === undefined || sent === stored) return state
  const one = { ...stored, id: sent.id, clientMsgId }
  const messages = state.messages.flatMap((message): Array<Message> => {
    if (message === sent) return []
    return [message === stored ? one : message]
  })
  return { ...state, messages }
}

/** The question of a run that the server had already. An ended run's answer is in the history. */
const accepted = (state: ChatState, { clientMsgId, runId, status }: Of<"accepted">): ChatState => {
  const delivery = status === "queued" ? "queued" : "sent"
  const known = changeUser(united(state, clientMsgId, runId), clientMsgId, { delivery, runId })
  return settled(changeReply(known, clientMsgId, { delivery: "sent", error: null }))
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

const changeUser = (state: ChatState, clientMsgId: string, change: Partial<UserMessage>): ChatState => ({
  ...state,
  messages: state.messages.map((message) =>
    message.role === "user" && message.clientMsgId === clientMsgId ? { ...message, ...change } : message
  )
})

const changeReply = (state: ChatState, clientMsgId: string, change: Partial<ReplyPart>): ChatState => ({
  ...state,
  messages: state.messages.map((message) => {
    if (message.role === "user" || !message.parts.some((part) => isReply(part, clientMsgId))) return message
    const parts = message.parts.map((part) =>
      part.kind === "reply" && isReply(part, clientMsgId) ? { ...part, ...change } : part
    )
    return { ...message, parts }
  })
})

const isReply = (part: Part, clientMsgId: string): boolean =>
  part.kind === "reply" && part.clientMsgId === clientMsgId

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
  if (found === undefined || found.role !== "assistant") {
    // A run that waited goes on before its history was loaded: that will join what is told from here.
    if (runId === "" || runId !== state.runId) return state
    return { ...state, messages: [...state.messages, change(emptyAnswer(runId))] }
  }
  const changed = change(found)
  return { ...state, messages: state.messages.with(at, changed) }
}

const streaming = (
  state: ChatState,
  runId: string,
  change: (run: AssistantMessage) => AssistantMessage
): ChatState => ({
  ...changeRun(state, runId, change),
  status: state.waiting === null ? "streaming" : "waiting"
})

/** The questions of a session that wait for their turn, as a page shows them. Pure. */
import type { SessionEvent } from "./events.ts"
import { isFields, numberOrNull, textOf, textOrNull } from "./json.ts"
import type { Message, UserMessage } from "./messages.ts"
import type { ChatState } from "./state.ts"

export interface QueuedQuestion {
  readonly runId: string
  readonly clientMsgId: string | null
  /** Empty where nothing was said: a workflow that was started. */
  readonly text: string
  /** 1: the next. */
  readonly position: number
}

export type Queue = ReadonlyArray<QueuedQuestion>

/** Those of a chat's runs that wait. */
export const readQueue = (data: unknown): Queue =>
  (Array.isArray(data) ? data.filter(isFields) : [])
    .filter((run) => run["status"] === "queued")
    .map((run) => ({
      runId: textOf(run, "run_id"),
      clientMsgId: textOrNull(run, "client_msg_id"),
      text: textOf(run, "question"),
      position: numberOrNull(run, "position") ?? 0
    }))
    .sort((a, b) => a.position - b.position)

/** The queue with this question at its position: a new one, or one that has moved or reads anew. */
const joined = (queue: Queue, question: QueuedQuestion): Queue =>
  numbered(without(queue, question.runId).toSpliced(Math.max(0, question.position - 1), 0, question))

/** The queue after a question has left it; those behind it move up. */
export const departed = (queue: Queue, runId: string): Queue =>
  queue.some((question) => question.runId === runId) ? numbered(without(queue, runId)) : queue

const without = (queue: Queue, runId: string): Queue => queue.filter((question) => question.runId !== runId)

const numbered = (queue: Queue): Queue => queue.map((question, i) => ({ ...question, position: i + 1 }))

/** Messages as the queue has them: what is in it waits, and reads as it does there. */
export const waitingIn = (messages: ReadonlyArray<Message>, queue: Queue): ReadonlyArray<Message> =>
  queue.length === 0
    ? messages
    : messages.map((message): Message => {
        if (message.role !== "user") return message
        const { runId, clientMsgId } = message
        const waits = queue.find(
          (question) =>
            question.runId === runId || (clientMsgId !== null && question.clientMsgId === clientMsgId)
        )
        if (waits === undefined) return message
        return { ...message, runId: waits.runId, text: waits.text, delivery: "queued" }
      })

type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>

/** What is told of a question may come after its run has begun. One that broke off may wait once more. */
const hasBegun = (state: ChatState, runId: string): boolean =>
  state.messages.some(
    (message) =>
      message.role === "assistant" &&
      message.runId === runId &&
      (message.status === "running" || message.status === "done")
  )

export const queued = (state: ChatState, { clientMsgId, runId, position, text }: Of<"queued">): ChatState => {
  if (hasBegun(state, runId)) return state
  const asked = state.messages.find(
    (message) => message.role === "user" && clientMsgId !== null && message.clientMsgId === clientMsgId
  )
  const known = text ?? state.queue.find((question) => question.runId === runId)?.text ?? asked?.text
  // Someone else's, of which nothing is known yet.
  if (known === undefined) return state
  const queue = joined(state.queue, { runId, clientMsgId, text: known, position })
  return { ...state, queue, messages: waitingIn(state.messages, queue) }
}

export const cancelled = (state: ChatState, { clientMsgId, runId }: Of<"cancelled">): ChatState => {
  // Its run was told first.
  if (state.messages.some((message) => message.role === "assistant" && message.runId === runId)) return state
  const isIt = (message: UserMessage) =>
    message.runId === runId || (clientMsgId !== null && message.clientMsgId === clientMsgId)
  const messages = state.messages.map((message): Message => {
    return message.role === "user" && isIt(message) ? { ...message, delivery: "cancelled" } : message
  })
  return { ...state, queue: departed(state.queue, runId), messages }
}

export const queueRead = (state: ChatState, { questions: queue }: Of<"queue">): ChatState => {
  const messages = state.messages.map((message): Message => {
    const waited = message.role === "user" && message.delivery === "queued" && message.runId !== null
    return waited ? { ...message, delivery: "sent" } : message
  })
  return { ...state, queue, messages: waitingIn(messages, queue) }
}

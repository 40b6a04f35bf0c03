/** What the person has said, until it is acknowledged or refused: questions, and replies within a run. */
import type { SessionEvent } from "./events.ts"
import type { Message, Part, ReplyPart, UserMessage } from "./messages.ts"
import { settled } from "./settled.ts"
import type { ChatState } from "./state.ts"

type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>

export const sending = (state: ChatState, { clientMsgId, text, at }: Of<"sending">): ChatState => {
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
export const united = (state: ChatState, clientMsgId: string | null, runId: string): ChatState => {
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
export const accepted = (state: ChatState, { clientMsgId, runId, status }: Of<"accepted">): ChatState => {
  const delivery = status === "queued" ? "queued" : "sent"
  const known = changeUser(united(state, clientMsgId, runId), clientMsgId, { delivery, runId })
  return settled(changeReply(known, clientMsgId, { delivery: "sent", error: null }))
}

export const changeUser = (
  state: ChatState,
  clientMsgId: string,
  change: Partial<UserMessage>
): ChatState => ({
  ...state,
  messages: state.messages.map((message) =>
    message.role === "user" && message.clientMsgId === clientMsgId ? { ...message, ...change } : message
  )
})

export const changeReply = (
  state: ChatState,
  clientMsgId: string,
  change: Partial<ReplyPart>
): ChatState => ({
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

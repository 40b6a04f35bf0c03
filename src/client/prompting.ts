/** What a run asks of the person, and the replies to it. */
import type { SessionEvent } from "./events.ts"
import type { ReplyPart } from "./messages.ts"
import { prompted, replied, samePrompt } from "./parts.ts"
import type { Prompt } from "./prompts.ts"
import { changeRun } from "./runs.ts"
import type { ChatState } from "./state.ts"

type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>

/** The same state with these prompts, and what comes of them. */
export const asking = (state: ChatState, prompts: ReadonlyArray<Prompt>): ChatState => {
  const waiting = prompts.find(({ replyId }) => replyId === null) ?? null
  if (waiting !== null) return { ...state, prompts, waiting, status: "waiting" }
  return { ...state, prompts, waiting, status: state.status === "waiting" ? "submitted" : state.status }
}

/** The run waits. */
export const asks = (state: ChatState, prompt: Prompt): ChatState => {
  const known = state.prompts.find(
    (other) => samePrompt(other, prompt) && other.messageId === prompt.messageId
  )
  const others = state.prompts.filter((other) => !samePrompt(other, prompt))
  const shown = changeRun(state, prompt.runId, (run) => prompted({ ...run, status: "running" }, prompt))
  return asking({ ...shown, runId: prompt.runId }, [...others, known ?? prompt])
}

export const replying = (state: ChatState, event: Of<"replying">): ChatState => {
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

export const continued = (state: ChatState, { runId, reply, at }: Of<"continued">): ChatState => {
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

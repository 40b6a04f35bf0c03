/** Answers as they grow: what events change of a run's message. */
import type { SessionEvent } from "./events.ts"
import { type AssistantMessage, emptyAnswer } from "./messages.ts"
import { openRow, settle, workOf } from "./parts.ts"
import type { ChatState } from "./state.ts"

export const changeRun = (
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

export const streaming = (
  state: ChatState,
  runId: string,
  change: (run: AssistantMessage) => AssistantMessage
): ChatState => ({
  ...changeRun(state, runId, change),
  status: state.waiting === null ? "streaming" : "waiting"
})

/** What a run that broke off had streamed: of the row in progress, or of the run. */
export const partly = (
  run: AssistantMessage,
  event: Extract<SessionEvent, { readonly type: "partial" }>
): AssistantMessage => {
  if (event.kind === "reasoning") return { ...run, reasoning: event.text }
  const { text, messageId } = event
  const place = openRow(run)
  const row = run.parts[place]
  if (row?.kind !== "row") return { ...run, text, messageId }
  const part = { ...row, text, messageId, status: "stopped", work: workOf(run) } as const
  return { ...settle(run), parts: run.parts.with(place, part) }
}

/** What a session is ready for. */
import type { ChatState } from "./state.ts"

/** ready, unless something runs, waits or has failed. */
export const settled = (state: ChatState): ChatState => {
  if (state.runId !== null) return state
  if (state.waiting !== null) return { ...state, status: "waiting" }
  const waits = state.messages.some(
    (message) => message.role === "user" && (message.delivery === "sending" || message.delivery === "queued")
  )
  if (waits) return { ...state, status: "submitted" }
  return { ...state, status: state.error === null ? "ready" : "error" }
}

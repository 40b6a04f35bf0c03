/** Says to screen readers what happens, once each: an answer is read when it is whole, not token by token. */
import { useEffect, useRef, useState } from "react"
import type { ChatState } from "../../src/client/client.ts"

const wordsOf = (before: ChatState, now: ChatState): string | null => {
  if (before.runId === null && now.runId !== null) return "The answer is being written."
  if (before.runId === null || now.runId === before.runId) return null
  const answer = now.messages.find(
    (message) => message.role === "assistant" && message.runId === before.runId
  )
  if (answer?.role !== "assistant") return null
  if (answer.status === "failed") return `The answer failed. ${answer.error?.message ?? ""}`
  if (answer.status === "stopped") return "The answer was stopped."
  return `Answer: ${answer.text.replace(/[#*_`|]/g, "")}`
}

export const Announcer = ({ state }: { readonly state: ChatState }) => {
  const before = useRef(state)
  const [words, setWords] = useState("")
  useEffect(() => {
    const next = wordsOf(before.current, state)
    before.current = state
    if (next !== null) setWords(next)
  }, [state])
  return (
    <div className="hidden" role="status" aria-label="Announcements">
      {words}
    </div>
  )
}

/** Says to screen readers what happens, once each: an answer is read when it is whole, not token by token. */
import { useEffect, useRef, useState } from "react"
import type { ChatState } from "../../src/client/client.ts"
import { lostWords, spoken } from "./notices.ts"

const plain = (text: string): string => text.replace(/[#*_`|]/g, "")

/** What the person is asked, and where to answer it. */
const askingWords = ({ waiting, messages }: ChatState): string => {
  if (waiting === null) return ""
  if (waiting.kind === "continue") {
    const parts = messages.flatMap((message) => (message.role === "assistant" ? message.parts : []))
    const said = parts.findLast((part) => part.kind === "said")
    return `${waiting.name} asks you: ${said?.kind === "said" ? plain(spoken(said.text)) : ""}`
  }
  if (waiting.kind === "input") return `Your reply is wanted. ${plain(waiting.text)}`
  return `Your answer is wanted, in the conversation. ${plain(waiting.text)}`
}

const runWords = (before: ChatState, now: ChatState): string | null => {
  if (now.waiting !== null && before.waiting === null) return askingWords(now)
  if (before.runId === null && now.runId !== null) return "The answer is being written."
  if (before.runId === null || now.runId === before.runId) return null
  const answer = now.messages.find(
    (message) => message.role === "assistant" && message.runId === before.runId
  )
  if (answer?.role !== "assistant") return null
  if (answer.status === "failed") return `The answer failed. ${answer.error?.message ?? ""}`
  if (answer.status === "lost") return `The answer broke off. ${lostWords}`
  if (answer.status === "stopped") return "The answer was stopped."
  if (answer.text === "" && answer.parts.length > 0) return "It is done."
  return `Answer: ${plain(answer.text)}`
}

const queueWords = (before: ChatState, now: ChatState): string | null => {
  if (before.queue === now.queue) return null
  const known = new Map(before.queue.map((question) => [question.runId, question]))
  const fresh = now.queue.find(({ runId }) => !known.has(runId))
  if (fresh !== undefined) return `Waiting as number ${fresh.position}: ${plain(fresh.text)}`
  const changed = now.queue.find(({ runId, text }) => known.get(runId)?.text !== text)
  if (changed !== undefined) return `The question that waits as number ${changed.position} was changed.`
  return now.queue.length < before.queue.length ? "A waiting question was taken back." : null
}

const wordsOf = (before: ChatState, now: ChatState): string | null =>
  runWords(before, now) ?? (before.runId === now.runId ? queueWords(before, now) : null)

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

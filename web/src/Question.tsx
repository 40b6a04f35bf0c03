import { memo } from "react"
import type { UserMessage } from "../../src/client/client.ts"
import { fullTime, shortTime } from "./times.ts"

const deliveries = {
  sending: "Sending…",
  queued: "Waiting for the answer before it",
  cancelled: "Cancelled before its turn",
  sent: "",
  failed: ""
}

export type AskFunction = (text: string) => void

interface QuestionProps {
  readonly question: UserMessage
  readonly ask: AskFunction
  /** The very same again, under its id. */
  readonly onAgain: (clientMsgId: string) => void
  /** Nothing came of it, and nothing will. */
  readonly unanswered: boolean
}

export const Question = memo(({ question, ask, onAgain, unanswered }: QuestionProps) => {
  const { text, delivery, error, createdAt, clientMsgId } = question
  // A workflow that was started: nothing was said.
  if (text === "" && delivery !== "failed") return null
  const time = createdAt === null ? null : new Date(createdAt)
  return (
    <article className="question" data-role="question" data-status={delivery}>
      <h2 className="hidden">You</h2>
      <div className="bubble">{text || "Start"}</div>
      <div className="under">
        {deliveries[delivery] !== "" && <span className="delivery">{deliveries[delivery]}</span>}
        {delivery === "failed" && (
          <span className="error" role="alert">
            Not sent: {error?.detail || error?.message || "the server did not take it"}.{" "}
            {clientMsgId !== null && (
              <button type="button" className="link" onClick={() => onAgain(clientMsgId)}>
                Send again
              </button>
            )}
          </span>
        )}
        {unanswered && text !== "" && (
          <span>
            No answer was kept.{" "}
            <button type="button" className="link" onClick={() => ask(text)}>
              Ask again
            </button>
          </span>
        )}
        {delivery === "sent" && time !== null && (
          <time dateTime={time.toISOString()} title={fullTime(time)}>
            {shortTime(time)}
          </time>
        )}
      </div>
    </article>
  )
})

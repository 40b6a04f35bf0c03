import { MessagePrimitive, useAuiState } from "@assistant-ui/react"
import { useAsk, useQuestion } from "./ChatRuntime.tsx"
import { fullTime, shortTime } from "./times.ts"

const deliveries = { sending: "Sending…", queued: "Waiting for the answer before it", sent: "", failed: "" }

export const Question = () => {
  const question = useQuestion(useAuiState(({ message }) => message.id))
  const ask = useAsk()
  if (question === null) return null
  const { text, delivery, error, createdAt, clientMsgId } = question
  const time = createdAt === null ? null : new Date(createdAt)
  return (
    <MessagePrimitive.Root className={`question ${delivery}`} data-role="question">
      <h2 className="hidden">You</h2>
      <div className="bubble">{text}</div>
      <div className="under">
        {deliveries[delivery] !== "" && <span className="delivery">{deliveries[delivery]}</span>}
        {delivery === "failed" && (
          <span className="error" role="alert">
            Not sent: {error?.detail || error?.message || "the server did not take it"}.{" "}
            <button type="button" className="link" onClick={() => ask(text, clientMsgId ?? undefined)}>
              Send again
            </button>
          </span>
        )}
        {delivery === "sent" && time !== null && (
          <time dateTime={time.toISOString()} title={fullTime(time)}>
            {shortTime(time)}
          </time>
        )}
      </div>
    </MessagePrimitive.Root>
  )
}

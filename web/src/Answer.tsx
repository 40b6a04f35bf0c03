/** An answer: the work behind it, its text as it is written, and what became of it. */
import { MessagePrimitive, useAuiState } from "@assistant-ui/react"
import type { AssistantMessage } from "../../src/client/client.ts"
import { useAnswer, useLastMessage } from "./ChatRuntime.tsx"
import { CopyButton } from "./CopyButton.tsx"
import { Markdown } from "./Markdown.tsx"
import { Trouble } from "./Trouble.tsx"
import { fullTime, shortTime } from "./times.ts"
import { Work } from "./Work.tsx"

const parts = { Text: Markdown }

export const Answer = () => {
  const answer = useAnswer(useAuiState(({ message }) => message.id))
  const last = useLastMessage()
  if (answer === null) {
    // The place that assistant-ui keeps for an answer to come: under the question alone.
    return last?.role === "user" && last.delivery === "sent" ? <Dots /> : null
  }
  const waiting = answer.status === "running" && answer.text === ""
  return (
    <MessagePrimitive.Root
      className={`answer ${answer.status}`}
      data-role="answer"
      data-status={answer.status}
    >
      <h2 className="hidden">Answer</h2>
      <Work answer={answer} />
      {waiting ? <Dots /> : <MessagePrimitive.Parts components={parts} />}
      <Fate answer={answer} />
      {answer.status !== "running" && answer.text !== "" && <Under answer={answer} />}
    </MessagePrimitive.Root>
  )
}

const Dots = () => (
  <p className="dots" aria-hidden="true">
    <span />
    <span />
    <span />
  </p>
)

const Fate = ({ answer }: { readonly answer: AssistantMessage }) => {
  if (answer.status === "stopped") {
    return <p className="fate">{answer.text === "" ? "Stopped before the answer began." : "Stopped here."}</p>
  }
  if (answer.status !== "failed") return null
  return (
    <Trouble
      title={answer.text === "" ? "No answer came of this" : "The answer broke off"}
      detail={`${answer.error?.detail || answer.error?.message || "The server did not say why"}. Ask again, or ask something else.`}
    />
  )
}

const Under = ({ answer }: { readonly answer: AssistantMessage }) => {
  const time = answer.createdAt === null ? null : new Date(answer.createdAt)
  return (
    <div className="under">
      <CopyButton text={answer.text} what="answer" />
      {time !== null && (
        <time dateTime={time.toISOString()} title={fullTime(time)}>
          {shortTime(time)}
        </time>
      )}
    </div>
  )
}

/** An answer: the work behind it, its text as it is written, and what became of it. */
import { memo } from "react"
import type { AssistantMessage } from "../../src/client/client.ts"
import { CopyButton } from "./CopyButton.tsx"
import { Markdown } from "./Markdown.tsx"
import { Trouble } from "./Trouble.tsx"
import { fullTime, shortTime } from "./times.ts"
import { Work } from "./Work.tsx"

export const Answer = memo(({ answer }: { readonly answer: AssistantMessage }) => {
  const waiting = answer.status === "running" && answer.text === ""
  return (
    <article className={`answer ${answer.status}`} data-role="answer" data-status={answer.status}>
      <h2 className="hidden">Answer</h2>
      <Work answer={answer} />
      {waiting ? <Dots /> : <Markdown text={answer.text} />}
      <Fate answer={answer} />
      {answer.status !== "running" && answer.text !== "" && <Under answer={answer} />}
    </article>
  )
})

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
      <CopyButton text={() => answer.text} what="answer" />
      {time !== null && (
        <time dateTime={time.toISOString()} title={fullTime(time)}>
          {shortTime(time)}
        </time>
      )}
    </div>
  )
}

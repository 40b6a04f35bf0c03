/** An answer: the work behind it, its text as it is written, and what became of it. */
import { memo } from "react"
import type { AssistantMessage } from "../../src/client/client.ts"
import { CopyButton } from "./CopyButton.tsx"
import { Markdown } from "./Markdown.tsx"
import type { AskFunction } from "./Question.tsx"
import { Trouble } from "./Trouble.tsx"
import { fullTime, shortTime } from "./times.ts"
import { hasWork, Work } from "./Work.tsx"

interface AnswerProps {
  readonly answer: AssistantMessage
  /** The question it answers, where it is known. */
  readonly question: string | null
  readonly ask: AskFunction
}

export const Answer = memo(({ answer, question, ask }: AnswerProps) => {
  const waiting = answer.status === "running" && answer.text === ""
  return (
    <article className={`answer ${answer.status}`} data-role="answer" data-status={answer.status}>
      <h2 className="hidden">Answer</h2>
      <Work answer={answer} />
      {waiting ? <Dots hidden={hasWork(answer)} /> : <Markdown text={answer.text} />}
      <Fate answer={answer} onAgain={question === null ? null : () => ask(question)} />
      {answer.status !== "running" && answer.text !== "" && <Under answer={answer} />}
    </article>
  )
})

/** Something will come here; where the work is shown already, that says so. */
const Dots = ({ hidden }: { readonly hidden: boolean }) => (
  <p className="dots" aria-hidden="true" hidden={hidden}>
    <span />
    <span />
    <span />
  </p>
)

const sentence = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`

const Fate = ({
  answer,
  onAgain
}: {
  readonly answer: AssistantMessage
  readonly onAgain: (() => void) | null
}) => {
  if (answer.status === "stopped") {
    return <p className="fate">{answer.text === "" ? "Stopped before the answer began." : "Stopped here."}</p>
  }
  if (answer.status !== "failed") return null
  return (
    <Trouble
      title={answer.text === "" ? "No answer came of this" : "The answer broke off"}
      detail={sentence(answer.error?.detail || answer.error?.message || "the server did not say why")}
      {...(onAgain === null ? {} : { action: "Ask again", onAction: onAgain })}
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

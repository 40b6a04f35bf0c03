/** An answer: the work behind it, its text as it is written, what it told on its way, and what became of it. */
import { memo } from "react"
import type { AssistantMessage, Prompt } from "../../src/client/client.ts"
import { CopyButton } from "./CopyButton.tsx"
import { Markdown } from "./Markdown.tsx"
import { lostWords } from "./notices.ts"
import { Parts, Speaker } from "./Parts.tsx"
import type { AskFunction } from "./Question.tsx"
import type { Place, Reply } from "./reply.ts"
import { Sources } from "./Sources.tsx"
import { Trace } from "./Trace.tsx"
import { Trouble } from "./Trouble.tsx"
import { fullTime, shortTime } from "./times.ts"
import { hasWork, Work } from "./Work.tsx"

export interface AnswerProps {
  readonly answer: AssistantMessage
  /** The question it answers, where it is known. */
  readonly question: string | null
  readonly ask: AskFunction
  /** What its run asks the person now. */
  readonly prompts: ReadonlyArray<Prompt>
  readonly place: Place
  readonly reply: Reply
  readonly onStarter: ((question: string) => void) | null
  readonly onAgain: (clientMsgId: string) => void
}

export const Answer = memo((props: AnswerProps) => {
  const { answer, question, ask } = props
  const { parts, text } = answer
  const going = answer.status === "running"
  const inRow = parts.some((part) => part.kind === "row" && part.status === "running")
  const speaking = parts.some((part) => part.kind === "said" && part.status === "running")
  const waits = going && props.prompts.length > 0
  const dots = going && text === "" && !waits && !speaking
  return (
    <article className="answer" data-role="answer" data-status={waits ? "waiting" : answer.status}>
      <h2 className="hidden">Answer</h2>
      <Trace nodes={answer.nodes} />
      {answer.progress !== null && <Progress progress={answer.progress} going={going} />}
      <Parts
        parts={parts}
        prompts={props.prompts}
        place={props.place}
        reply={props.reply}
        onStarter={props.onStarter}
        onAgain={props.onAgain}
        draft={inRow ? text : ""}
        work={answer}
      />
      {answer.speaker !== null && going && <Speaker name={answer.speaker} to={null} />}
      {!inRow && <Work work={answer} working={going && text === ""} />}
      {!inRow && text !== "" && <Markdown text={text} />}
      {dots && <Dots hidden={hasWork(answer)} />}
      <Fate answer={answer} onAgain={question === null || question === "" ? null : () => ask(question)} />
      {!going && text !== "" && <Under answer={answer} />}
    </article>
  )
})

const Progress = ({
  progress,
  going
}: {
  readonly progress: { readonly done: number; readonly total: number }
  readonly going: boolean
}) => (
  <p className="progress" data-role="progress">
    <progress max={progress.total} value={progress.done} aria-label="Questions answered" />
    <span>
      {progress.done} of {progress.total}
      {going ? "" : progress.done < progress.total ? " answered; the rest was not asked" : " answered"}
    </span>
  </p>
)

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
  const nothing = answer.text === "" && answer.parts.length === 0
  if (answer.status === "stopped") {
    // A row or an utterance that was cut short says so itself.
    if (answer.parts.some((part) => "status" in part && part.status === "stopped")) return null
    return <p className="fate">{nothing ? "Stopped before the answer began." : "Stopped here."}</p>
  }
  if (answer.status !== "failed" && answer.status !== "lost") return null
  const reason =
    answer.status === "lost" && !nothing
      ? lostWords
      : sentence(answer.error?.detail || answer.error?.message || "the server did not say why")
  return (
    <Trouble
      title={nothing ? "No answer came of this" : "The answer broke off"}
      detail={reason}
      {...(onAgain === null ? {} : { action: "Ask again", onAction: onAgain })}
    />
  )
}

const Under = ({ answer }: { readonly answer: AssistantMessage }) => {
  const time = answer.createdAt === null ? null : new Date(answer.createdAt)
  return (
    <div className="under">
      <CopyButton text={() => answer.text} what="answer" />
      <Sources of={answer} />
      {time !== null && (
        <time dateTime={time.toISOString()} title={fullTime(time)}>
          {shortTime(time)}
        </time>
      )}
    </div>
  )
}

/** What a run told on its way: who said what, rows of a batch, replies, files, lines. */
import { memo } from "react"
import type { Part, Prompt, ReplyPart, RowPart, SaidPart, Work as WorkOf } from "../../src/client/client.ts"
import { CopyButton } from "./CopyButton.tsx"
import { Document, Download } from "./icons.tsx"
import { Markdown } from "./Markdown.tsx"
import { spoken } from "./notices.ts"
import { Asking } from "./Prompts.tsx"
import type { Place, Reply } from "./reply.ts"
import { Sources } from "./Sources.tsx"
import { Work } from "./Work.tsx"

export interface PartsProps {
  readonly parts: ReadonlyArray<Part>
  /** What can be answered now. */
  readonly prompts: ReadonlyArray<Prompt>
  readonly place: Place
  readonly reply: Reply
  readonly onStarter: ((question: string) => void) | null
  readonly onAgain: (clientMsgId: string) => void
  /** Of the row in progress: what is written of it, and the work on it. */
  readonly draft: string
  readonly work: WorkOf
}

export const Parts = (props: PartsProps) => (
  <>
    {props.parts.map((part) => {
      const open = part.kind === "row" && part.status === "running"
      return (
        <OnePart
          key={part.id}
          part={part}
          {...(open ? { draft: props.draft, work: props.work } : { draft: "", work: null })}
          asked={part.kind === "prompt" && isAsked(part.prompt, props.prompts)}
          place={props.place}
          reply={props.reply}
          onStarter={part.kind === "starters" ? props.onStarter : null}
          onAgain={props.onAgain}
        />
      )
    })}
  </>
)

const isAsked = (prompt: Prompt, prompts: ReadonlyArray<Prompt>): boolean =>
  prompts.some(
    (each) => each.nodeId === prompt.nodeId && each.messageId === prompt.messageId && each.replyId === null
  )

interface OneProps {
  readonly part: Part
  readonly asked: boolean
  readonly place: Place
  readonly reply: Reply
  readonly onStarter: ((question: string) => void) | null
  readonly onAgain: (clientMsgId: string) => void
  readonly draft: string
  readonly work: WorkOf | null
}

const OnePart = memo(({ part, asked, place, reply, onStarter, onAgain, draft, work }: OneProps) => {
  switch (part.kind) {
    case "said":
      return <Said part={part} />
    case "row":
      return <Row part={part} draft={draft} work={work} />
    case "reply":
      return <Replied part={part} onAgain={onAgain} />
    case "prompt":
      return (
        <div data-role="prompt" data-kind={part.prompt.kind}>
          <Asking prompt={part.prompt} open={asked} place={place} reply={reply} />
        </div>
      )
    case "file":
      return <Made name={part.name} url={part.url} unfilled={part.unfilled} />
    case "notice":
      return <p className="notice">{spoken(part.text)}</p>
    case "guide":
      return <Markdown text={part.text} />
    case "divider":
      return (
        <p className="divider" data-role="divider">
          <span>{spoken(part.text) || "The end"}</span>
        </p>
      )
    case "gathered":
      return (
        <details className="gathered" data-role="gathered">
          <summary>All answers together</summary>
          <Markdown text={part.text} />
          <CopyButton text={() => part.text} what="collection" />
        </details>
      )
    case "starters":
      if (onStarter === null) return null
      return (
        <ul className="starters" aria-label="Questions to begin with">
          {part.questions.map((question) => (
            <li key={question}>
              <button type="button" className="starter" onClick={() => onStarter(question)}>
                {question}
              </button>
            </li>
          ))}
        </ul>
      )
  }
})

/** Each speaker has a colour of their own, the same one each time. */
const tintOf = (name: string): string => {
  const hue = Array.from(name).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7)
  return `light-dark(hsl(${hue} 45% 86%), hsl(${hue} 30% 30%))`
}

export const Speaker = ({ name, to }: { readonly name: string; readonly to: SaidPart["to"] }) => (
  <p className="speaker">
    <span className="face" style={{ backgroundColor: tintOf(name) }} aria-hidden="true">
      {Array.from(name)[0]?.toUpperCase()}
    </span>
    <strong>{name}</strong>
    {to !== null && to.name !== "" && <span className="to">to {to.isSelf ? "you" : to.name}</span>}
  </p>
)

const Said = ({ part }: { readonly part: SaidPart }) => (
  <section className="said" data-role="said" data-status={part.status} aria-label={part.speaker || undefined}>
    {part.stream === null && part.speaker !== "" && part.to !== null && (
      <Speaker name={part.speaker} to={part.to} />
    )}
    {part.stream === null && part.speaker !== "" && part.to === null && part.text !== "" && (
      <Speaker name={part.speaker} to={null} />
    )}
    <Work work={part.work} working={part.status === "running" && part.text === ""} />
    {part.text !== "" && <Markdown text={spoken(part.text)} />}
    {part.files.map((file) => (
      <Made key={file.url} name={file.name} url={file.url} unfilled={[]} />
    ))}
    {part.status === "stopped" && <p className="fate">Stopped here.</p>}
    {part.status !== "running" && part.text !== "" && (
      <div className="under">
        <CopyButton text={() => part.text} what="message" />
        <Sources of={part} />
      </div>
    )}
  </section>
)

const Row = ({
  part,
  draft,
  work
}: {
  readonly part: RowPart
  readonly draft: string
  readonly work: WorkOf | null
}) => (
  <section className="row" data-role="row" data-status={part.status}>
    <h3>
      <span className="row-number">{part.row + 1}</span>
      {part.question}
    </h3>
    <Work work={work ?? part.work} working={part.status === "running" && draft === ""} />
    {part.status === "running" ? (
      <Markdown text={draft} />
    ) : part.status === "failed" ? (
      <p className="error">Not answered: {part.text}</p>
    ) : (
      <Markdown text={part.text} />
    )}
    {part.status === "stopped" && (
      <p className="fate">{part.text === "" ? "Stopped before it was answered." : "Stopped here."}</p>
    )}
    {(part.status === "done" || part.status === "stopped") && part.text !== "" && (
      <div className="under">
        <CopyButton text={() => part.text} what="answer" />
        <Sources of={part} />
      </div>
    )}
  </section>
)

const deliveries = {
  sending: "Sending…",
  queued: "Waiting its turn",
  cancelled: "Cancelled before its turn",
  sent: "",
  failed: ""
}

const Replied = ({
  part,
  onAgain
}: {
  readonly part: ReplyPart
  readonly onAgain: (clientMsgId: string) => void
}) => {
  const { clientMsgId } = part
  return (
    <section className="question" data-role="reply" data-status={part.delivery} aria-label="Your reply">
      <div className="bubble">{part.text}</div>
      <div className="under">
        {deliveries[part.delivery]}
        {part.delivery === "failed" && (
          <span className="error" role="alert">
            Not taken: {part.error?.detail || part.error?.message || "the server did not say why"}.{" "}
            {clientMsgId !== null && (
              <button type="button" className="link" onClick={() => onAgain(clientMsgId)}>
                Send again
              </button>
            )}
          </span>
        )}
      </div>
    </section>
  )
}

const Made = (props: {
  readonly name: string
  readonly url: string
  readonly unfilled: ReadonlyArray<string>
}) => (
  <div className="made" data-role="file">
    <a className="made-link" href={props.url} download={props.name}>
      <Document />
      <span className="made-name">{props.name}</span>
      <span className="made-action">
        <Download />
        Download
      </span>
    </a>
    {props.unfilled.length > 0 && (
      <div className="unfilled">
        <p>
          {props.unfilled.length === 1
            ? "One place in the template was left empty:"
            : `${props.unfilled.length} places in the template were left empty:`}
        </p>
        <ul aria-label="Left empty">
          {props.unfilled.map((name) => (
            <li key={name}>
              <code>{name}</code>
            </li>
          ))}
        </ul>
      </div>
    )}
  </div>
)

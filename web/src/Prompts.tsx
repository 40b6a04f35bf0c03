/** What a run asks the person: a form, a choice, a text to change. */
import { type FormEvent, useId, useState } from "react"
import TextareaAutosize from "react-textarea-autosize"
import type { ChoosePrompt, EditPrompt, Prompt } from "../../src/client/client.ts"
import { Markdown } from "./Markdown.tsx"
import { PromptForm } from "./PromptForm.tsx"
import type { Place, Reply } from "./reply.ts"
import { useTurn } from "./useTurn.ts"

interface AskingProps {
  readonly prompt: Prompt
  /** Whether it can still be answered. */
  readonly open: boolean
  readonly place: Place
  readonly reply: Reply
}

export const Asking = ({ prompt, open, place, reply }: AskingProps) => {
  switch (prompt.kind) {
    case "choose":
      return <Choosing prompt={prompt} open={open} reply={reply} />
    case "edit":
      return <Editing prompt={prompt} open={open} reply={reply} />
    case "form":
      return <PromptForm prompt={prompt} open={open} place={place} reply={reply} />
    case "input":
    case "continue":
      // The composer takes the answer.
      if (prompt.text !== "") return <Markdown text={prompt.text} />
      return open ? <p className="note">{prompt.name || "It"} waits for your reply.</p> : null
  }
}

const Choosing = (props: {
  readonly prompt: ChoosePrompt
  readonly open: boolean
  readonly reply: Reply
}) => {
  const { prompt, open } = props
  const id = useId()
  const place = useTurn<HTMLElement>(open)
  return (
    <section ref={place} tabIndex={-1} className="asking" aria-labelledby={id}>
      <div id={id}>
        <Markdown text={prompt.text || "Choose one:"} />
      </div>
      <ul className="choices">
        {prompt.options.map((option) => (
          <li key={option.id}>
            <button
              type="button"
              className="starter"
              disabled={!open}
              onClick={() => props.reply(prompt, option.id)}
            >
              {option.label}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

const Editing = (props: { readonly prompt: EditPrompt; readonly open: boolean; readonly reply: Reply }) => {
  const { prompt, open } = props
  const id = useId()
  const [text, setText] = useState(prompt.initial)
  const [error, setError] = useState("")
  const place = useTurn<HTMLFormElement>(open)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() === "") setError("Write something, then confirm.")
    else props.reply(prompt, text)
  }
  return (
    <form ref={place} tabIndex={-1} className="asking" onSubmit={submit} noValidate>
      <Markdown text={prompt.text} />
      <label htmlFor={id}>Your version</label>
      <TextareaAutosize
        id={id}
        minRows={3}
        maxRows={16}
        value={text}
        disabled={!open}
        aria-invalid={error !== ""}
        aria-describedby={error === "" ? undefined : `${id}-error`}
        onChange={(event) => {
          setText(event.target.value)
          setError("")
        }}
      />
      {error !== "" && (
        <p id={`${id}-error`} className="error" role="alert">
          {error}
        </p>
      )}
      {open && (
        <button type="submit" className="button primary">
          Confirm
        </button>
      )}
    </form>
  )
}

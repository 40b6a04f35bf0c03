/** The questions that wait for their turn, the next one first: each can be changed, and taken back. */
import { type FormEvent, type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from "react"
import TextareaAutosize from "react-textarea-autosize"
import { type QueuedQuestion, ServerError, type Session } from "../../src/client/client.ts"
import { maxLength } from "./Composer.tsx"
import type { AskFunction } from "./Question.tsx"

/** The server's word for a question that is being answered, or was. */
const tooLate = 13011

/** What the person should know of their last change; `text` is what they wrote, where it is in no question now. */
interface Note {
  readonly words: string
  readonly text: string | null
}

interface Draft {
  readonly runId: string
  readonly text: string
}

export const Waiting = (props: {
  readonly session: Session
  readonly queue: ReadonlyArray<QueuedQuestion>
  /** Whether they are questions, and not files to be read or a workflow to be started. */
  readonly editable: boolean
  readonly ask: AskFunction
}) => {
  const { session, queue, editable } = props
  const heading = useId()
  const section = useRef<HTMLElement>(null)
  const [draft, setDraft] = useState<Draft | null>(null)
  const [note, setNote] = useState<Note | null>(null)
  const hold = useFocusWithin(section, queue)

  const late = (text: string) => {
    setDraft(null)
    setNote({ words: "That question does not wait any more, so it was not changed.", text })
  }

  // It began, or somebody took it back, while it was being rewritten.
  const isGone = draft !== null && queue.every(({ runId }) => runId !== draft.runId)
  if (isGone) late(draft.text)

  const save = async ({ runId, text }: Draft) => {
    try {
      await session.amend(runId, text)
      setDraft(null)
      setNote(null)
    } catch (cause) {
      if (cause instanceof ServerError && cause.code === tooLate) late(text)
      else setNote({ words: `The question was not changed: ${reasonOf(cause)}`, text: null })
    }
  }

  const cancel = async (runId: string) => {
    setNote(null)
    try {
      await session.cancel(runId)
    } catch (cause) {
      setNote({ words: `The question was not cancelled: ${reasonOf(cause)}`, text: null })
    }
  }

  if (queue.length === 0 && note === null) return null
  const title = ["Nothing waits any more", "Waiting for the answer before it"][queue.length]
  return (
    <section className="waiting" aria-labelledby={heading} ref={section} {...hold}>
      <h2 id={heading}>{title ?? "Waiting for their turn, in this order"}</h2>
      <ol>
        {queue.map((question) => (
          <li key={question.runId} data-run={question.runId}>
            <span className="place">{question.position}</span>
            {draft?.runId === question.runId ? (
              <Rewrite
                draft={draft}
                onChange={(text) => setDraft({ ...draft, text })}
                onSave={() => save({ ...draft, text: draft.text.trim() })}
                onLeave={() => setDraft(null)}
              />
            ) : (
              <Entry
                question={question}
                onEdit={editable ? () => setDraft({ runId: question.runId, text: question.text }) : null}
                onCancel={() => cancel(question.runId)}
              />
            )}
          </li>
        ))}
      </ol>
      {note !== null && (
        <p className="note" role="alert">
          {note.words}{" "}
          {note.text !== null && (
            <button
              type="button"
              className="link"
              onClick={() => {
                setNote(null)
                if (note.text !== null) props.ask(note.text)
              }}
            >
              Ask it as you wrote it
            </button>
          )}{" "}
          <button type="button" className="link" onClick={() => setNote(null)}>
            Dismiss
          </button>
        </p>
      )}
    </section>
  )
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const shortened = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 59)}…`)

const Entry = (props: {
  readonly question: QueuedQuestion
  readonly onEdit: (() => void) | null
  readonly onCancel: () => Promise<void>
}) => {
  const [leaving, setLeaving] = useState(false)
  const text = props.question.text || "Start"
  const cancel = () => {
    setLeaving(true)
    void props.onCancel().finally(() => setLeaving(false))
  }
  return (
    <>
      <p className="words" title={text}>
        {text}
      </p>
      {props.onEdit !== null && (
        <button
          type="button"
          className="button quiet"
          aria-label={`Edit: ${shortened(text)}`}
          onClick={props.onEdit}
        >
          Edit
        </button>
      )}
      <button
        type="button"
        className="button quiet"
        aria-label={`Cancel: ${shortened(text)}`}
        aria-disabled={leaving}
        onClick={leaving ? undefined : cancel}
      >
        Cancel
      </button>
    </>
  )
}

/** Enter saves, Esc leaves the question as it is. */
const Rewrite = (props: {
  readonly draft: Draft
  readonly onChange: (text: string) => void
  readonly onSave: () => void
  readonly onLeave: () => void
}) => {
  const { text } = props.draft
  const nothing = text.trim() === ""
  const input = useRef<HTMLTextAreaElement>(null)
  const form = useRef<HTMLFormElement>(null)

  useEffect(() => {
    const element = input.current
    element?.focus()
    element?.setSelectionRange(element.value.length, element.value.length)
  }, [])

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nothing) props.onSave()
  }

  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (event.key === "Escape") {
      // Not meant for the answer in progress, which Esc stops elsewhere.
      event.preventDefault()
      props.onLeave()
    }
    if (event.key !== "Enter" || event.shiftKey) return
    event.preventDefault()
    form.current?.requestSubmit()
  }

  return (
    <form ref={form} className="rewrite" onSubmit={submit}>
      <TextareaAutosize
        ref={input}
        aria-label="The waiting question"
        maxLength={maxLength}
        maxRows={6}
        value={text}
        onChange={(event) => props.onChange(event.target.value)}
        onKeyDown={pressed}
      />
      <button type="submit" className="button primary" disabled={nothing}>
        Save
      </button>
      <button type="button" className="button quiet" onClick={props.onLeave}>
        Keep it as it was
      </button>
    </form>
  )
}

/** Whoever works in the list by keyboard stays there when what they were at goes away. */
const useFocusWithin = (section: RefObject<HTMLElement | null>, queue: ReadonlyArray<QueuedQuestion>) => {
  /** The question that has the focus, and its place. */
  const held = useRef<{ readonly runId: string; readonly place: number } | null>(null)
  useEffect(() => {
    const last = held.current
    if (last === null || document.activeElement !== document.body) return
    const entries = section.current?.querySelectorAll("li") ?? []
    const same = [...entries].find(({ dataset }) => dataset["run"] === last.runId)
    const entry = same ?? entries[Math.min(last.place, entries.length - 1)]
    const next = entry?.querySelector("button") ?? document.querySelector<HTMLElement>(".composer-input")
    held.current = null
    next?.focus()
  })
  return {
    onFocus: ({ target }: { readonly target: HTMLElement }) => {
      const runId = target.closest("li")?.dataset["run"]
      const place = queue.findIndex((question) => question.runId === runId)
      held.current = runId === undefined ? null : { runId, place }
    },
    onBlur: () => {
      held.current = null
    }
  }
}

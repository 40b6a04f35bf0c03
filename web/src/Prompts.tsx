/** What a run asks the person: a form, a choice, a text to change. */
import { type FormEvent, type RefObject, useEffect, useId, useRef, useState } from "react"
import TextareaAutosize from "react-textarea-autosize"
import type {
  ChoosePrompt,
  EditPrompt,
  FormField,
  FormPrompt,
  Prompt,
  ReplyValues
} from "../../src/client/client.ts"
import { Attachments, FilePicker } from "./Attach.tsx"
import { Markdown } from "./Markdown.tsx"
import { arrived, type Uploads, useUploads } from "./useUploads.ts"

export type Reply = (
  prompt: Prompt,
  answer: string | ReplyValues,
  files?: ReadonlyArray<{ readonly id: string; readonly name: string }>
) => void

/** Where files of a form go. */
export interface Place {
  readonly flowId: string
  readonly chatId: string
}

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
      return <Form prompt={prompt} open={open} place={place} reply={reply} />
    case "input":
    case "continue":
      // The composer takes the answer.
      if (prompt.text !== "") return <Markdown text={prompt.text} />
      return open ? <p className="note">{prompt.name || "It"} waits for your reply.</p> : null
  }
}

/** The field that was typed in is gone when this is asked: the keyboard goes on from here, with no answer chosen yet. */
const useTurn = <E extends HTMLElement>(open: boolean): RefObject<E | null> => {
  const place = useRef<E>(null)
  useEffect(() => {
    if (open && document.activeElement === document.body) place.current?.focus({ preventScroll: true })
  }, [open])
  return place
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

type Draft = Readonly<Record<string, string | ReadonlyArray<string>>>

const asList = (value: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  value === undefined || value === "" ? [] : typeof value === "string" ? [value] : value

const isEmpty = (value: string | ReadonlyArray<string> | undefined): boolean =>
  asList(value).every((each) => each.trim() === "")

/** What is wrong with each field, by its key. */
const problemsOf = (
  fields: ReadonlyArray<FormField>,
  draft: Draft,
  uploads: Readonly<Record<string, Uploads["files"]>>
): Draft => {
  const problems = fields.flatMap((field): ReadonlyArray<readonly [string, string]> => {
    const files = uploads[field.key] ?? []
    if (files.some(({ state }) => state === "going")) return [[field.key, "Wait until the file is there."]]
    const empty = field.type === "file" ? arrived(files).length === 0 : isEmpty(draft[field.key])
    if (!field.required || !empty) return []
    const what =
      field.type === "file" ? "Add a file." : field.type === "select" ? "Choose one." : "Fill this in."
    return [[field.key, what]]
  })
  return Object.fromEntries(problems)
}

const Form = (props: {
  readonly prompt: FormPrompt
  readonly open: boolean
  readonly place: Place
  readonly reply: Reply
}) => {
  const { prompt, open } = props
  const { fields } = prompt
  const id = useId()
  const [draft, setDraft] = useState<Draft>(() =>
    Object.fromEntries(fields.map((field) => [field.key, field.initial]))
  )
  const [uploads, setUploads] = useState<Readonly<Record<string, Uploads["files"]>>>({})
  const [problems, setProblems] = useState<Draft>({})
  const place = useTurn<HTMLFormElement>(open)

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const found = problemsOf(fields, draft, uploads)
    setProblems(found)
    const first = fields.findIndex(({ key }) => found[key] !== undefined)
    if (first !== -1) {
      event.currentTarget
        .querySelectorAll<HTMLElement>("[data-field]")
        [first]?.querySelector<HTMLElement>("textarea, select, button, input:not([type=file])")
        ?.focus()
      return
    }
    const files = fields.flatMap(({ key }) => arrived(uploads[key] ?? []))
    const values = fields.map((field): readonly [string, string | ReadonlyArray<string>] => [
      field.key,
      field.type === "file"
        ? arrived(uploads[field.key] ?? []).map((file) => file.id)
        : (draft[field.key] ?? "")
    ])
    props.reply(prompt, Object.fromEntries(values), files)
  }

  const set = (key: string, value: string | ReadonlyArray<string>) => {
    setDraft((before) => ({ ...before, [key]: value }))
    setProblems(({ [key]: _, ...rest }) => rest)
  }

  return (
    <form
      ref={place}
      tabIndex={-1}
      className="asking"
      onSubmit={submit}
      noValidate
      aria-label={prompt.name || "Form"}
    >
      {prompt.text !== "" && <Markdown text={prompt.text} />}
      {fields.some(({ required }) => required) && (
        <p className="note">
          Fields marked <span className="required">*</span> are needed.
        </p>
      )}
      {fields.map((field, i) => {
        const problem = asList(problems[field.key])[0]
        const fieldId = `${id}-${i}`
        return (
          <div key={field.key} className="field" data-field={field.key}>
            <label htmlFor={fieldId}>
              {field.label}
              {field.required && (
                <span className="required" aria-hidden="true">
                  *
                </span>
              )}
            </label>
            <FieldInput
              id={fieldId}
              field={field}
              open={open}
              place={props.place}
              value={draft[field.key] ?? ""}
              problem={problem}
              onChange={(value) => set(field.key, value)}
              onFiles={(files) => setUploads((before) => ({ ...before, [field.key]: files }))}
            />
            {problem !== undefined && (
              <p id={`${fieldId}-error`} className="error" role="alert">
                {problem}
              </p>
            )}
          </div>
        )
      })}
      {open && (
        <button type="submit" className="button primary">
          Send
        </button>
      )}
    </form>
  )
}

interface FieldProps {
  readonly id: string
  readonly field: FormField
  readonly open: boolean
  readonly place: Place
  readonly value: string | ReadonlyArray<string>
  readonly problem: string | undefined
  readonly onChange: (value: string | ReadonlyArray<string>) => void
  readonly onFiles: (files: Uploads["files"]) => void
}

const FieldInput = (props: FieldProps) => {
  const { id, field, open, value, problem, onChange } = props
  const common = {
    id,
    disabled: !open,
    "aria-required": field.required,
    "aria-invalid": problem !== undefined,
    "aria-describedby": problem === undefined ? undefined : `${id}-error`
  }
  if (field.type === "file") return <FileField {...props} />
  if (field.type === "text") {
    return (
      <TextareaAutosize
        {...common}
        maxRows={12}
        maxLength={100_000}
        value={asList(value).join("\n")}
        onChange={(event) => onChange(event.target.value)}
      />
    )
  }
  if (field.multiple) {
    const chosen = asList(value)
    return (
      <fieldset id={id} className="checks" disabled={!open} aria-describedby={common["aria-describedby"]}>
        <legend className="hidden">{field.label}</legend>
        {field.options.map((option) => (
          <label key={option.id}>
            <input
              type="checkbox"
              checked={chosen.includes(option.id)}
              onChange={(event) =>
                onChange(
                  event.target.checked ? [...chosen, option.id] : chosen.filter((each) => each !== option.id)
                )
              }
            />
            {option.label}
          </label>
        ))}
      </fieldset>
    )
  }
  return (
    <select {...common} value={asList(value)[0] ?? ""} onChange={(event) => onChange(event.target.value)}>
      <option value="">Choose…</option>
      {field.options.map((option) => (
        <option key={option.id} value={option.id}>
          {option.label}
        </option>
      ))}
    </select>
  )
}

const FileField = ({ id, field, open, place, problem, onFiles }: FieldProps) => {
  const uploads = useUploads(place.flowId, place.chatId, onFiles)
  return (
    <div id={id}>
      <Attachments uploads={uploads} ready="added" />
      {open && (field.multiple || uploads.files.length === 0) && (
        <FilePicker
          accept={field.accept}
          multiple={field.multiple}
          label={`Add a file: ${field.label}`}
          describedBy={problem === undefined ? undefined : `${id}-error`}
          onFiles={uploads.add}
        >
          Add {field.multiple ? "files" : "a file"}
        </FilePicker>
      )}
    </div>
  )
}

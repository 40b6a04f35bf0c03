/** A form that a run asks the person to fill in. */
import { type FormEvent, useId, useState } from "react"
import type { FormPrompt } from "../../src/client/client.ts"
import { FieldInput } from "./Field.tsx"
import { asList, type Draft, problemsOf } from "./formDraft.ts"
import { Markdown } from "./Markdown.tsx"
import type { Place, Reply } from "./reply.ts"
import { useTurn } from "./useTurn.ts"
import { arrived, type Uploads } from "./useUploads.ts"

export const PromptForm = (props: {
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

  /** What was wrong with it is told again when the form is sent. */
  const changed = (key: string) => setProblems(({ [key]: _, ...rest }) => rest)
  const set = (key: string, value: string | ReadonlyArray<string>) => {
    setDraft((before) => ({ ...before, [key]: value }))
    changed(key)
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
              onFiles={(files) => {
                setUploads((before) => ({ ...before, [field.key]: files }))
                changed(field.key)
              }}
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

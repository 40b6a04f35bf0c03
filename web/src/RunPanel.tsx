/** What a batch or a report is given before it runs: files, variables, questions. */
import { type FormEvent, useCallback, useId, useState } from "react"
import TextareaAutosize from "react-textarea-autosize"
import type { FormValue, Session } from "../../src/client/client.ts"
import { Attachments, FilePicker } from "./Attach.tsx"
import { type App, type AppForm, appForm } from "./api.ts"
import { Play } from "./icons.tsx"
import { Trouble } from "./Trouble.tsx"
import { useAsked } from "./useAsked.ts"
import { arrived, type Uploads, useUploads } from "./useUploads.ts"

interface PanelProps {
  readonly app: App
  readonly session: Session
}

export const RunPanel = ({ app, session }: PanelProps) => {
  const [form, again] = useAsked(useCallback(() => appForm(app.id), [app.id]))
  switch (form.is) {
    case "loading":
      return (
        <p className="note" role="status">
          Looking up what this app needs…
        </p>
      )
    case "failed":
      return (
        <Trouble
          title="What this app needs could not be loaded"
          detail={form.why}
          action="Try again"
          onAction={again}
        />
      )
    case "loaded":
      return <Filled app={app} session={session} form={form.found} />
  }
}

const linesOf = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")

const Filled = ({ app, session, form }: PanelProps & { readonly form: AppForm }) => {
  const id = useId()
  const [uploads, setUploads] = useState<Readonly<Record<string, Uploads["files"]>>>({})
  const [variables, setVariables] = useState<Readonly<Record<string, string>>>({})
  const [text, setText] = useState(() => form.questions.join("\n"))
  const [problem, setProblem] = useState("")
  const isBatch = app.kind === "batch"
  const questions = linesOf(text)

  const wrong = (): string => {
    const all = form.files.map((file) => ({ file, given: uploads[file.id] ?? [] }))
    if (all.some(({ given }) => given.some(({ state }) => state === "going"))) {
      return "Wait until the files are there."
    }
    const missing = all.find(({ given }) => arrived(given).length === 0)
    if (missing !== undefined) return `Add a file first: ${missing.file.label || "your document"}.`
    if (isBatch && questions.length === 0) return "Write at least one question, one a line."
    return ""
  }

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const found = wrong()
    setProblem(found)
    if (found !== "") return
    const files = form.files.flatMap(({ id }) => arrived(uploads[id] ?? []).map((file) => ({ id, file })))
    const values: ReadonlyArray<FormValue> = [
      ...files.map(({ id, file }) => ({ id, filePath: file.id, name: file.name })),
      ...form.variables.map(({ id, name }) => ({ id, name, value: variables[`${id} ${name}`] ?? "" }))
    ]
    const names = files.map(({ file }) => file.name)
    if (isBatch) {
      const count = questions.length === 1 ? "1 question" : `${questions.length} questions`
      session.batch(values, { questions, text: [...names, count].join("\n") })
    } else session.report(values, { text: [...names, "Write the report"].join("\n") })
  }

  return (
    <form className="panel" onSubmit={submit} noValidate aria-label={`Run ${app.name}`}>
      {form.files.map((file) => (
        <FileOf
          key={file.id}
          label={file.label || "Your document"}
          flowId={session.flowId}
          chatId={session.chatId}
          onFiles={(files) => {
            setUploads((before) => ({ ...before, [file.id]: files }))
            setProblem("")
          }}
        />
      ))}
      {form.variables.map((variable) => {
        const key = `${variable.id} ${variable.name}`
        return (
          <div key={key} className="field">
            <label htmlFor={`${id}-${key}`}>{variable.name}</label>
            <input
              id={`${id}-${key}`}
              value={variables[key] ?? ""}
              onChange={(event) => {
                const { value } = event.target
                setVariables((before) => ({ ...before, [key]: value }))
              }}
            />
          </div>
        )
      })}
      {isBatch && (
        <div className="field">
          <label htmlFor={`${id}-questions`}>Questions, one a line</label>
          <TextareaAutosize
            id={`${id}-questions`}
            minRows={3}
            maxRows={8}
            placeholder="Paste as many as you like"
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setProblem("")
            }}
          />
        </div>
      )}
      {problem !== "" && (
        <p className="error" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button primary">
        <Play />
        {isBatch
          ? questions.length === 1
            ? "Ask 1 question"
            : `Ask ${questions.length} questions`
          : "Write the report"}
      </button>
    </form>
  )
}

const FileOf = (props: {
  readonly label: string
  readonly flowId: string
  readonly chatId: string
  readonly onFiles: (files: Uploads["files"]) => void
}) => {
  const uploads = useUploads(props.flowId, props.chatId, props.onFiles)
  return (
    <fieldset className="field file-field">
      <legend>{props.label}</legend>
      <Attachments uploads={uploads} ready="added" />
      {uploads.files.every(({ state }) => state === "failed") && (
        <FilePicker multiple={false} label={`Add a file: ${props.label}`} onFiles={uploads.add}>
          Add a file
        </FilePicker>
      )}
    </fieldset>
  )
}

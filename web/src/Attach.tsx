/** Giving the app a text file to answer from, and watching it go. */
import { type Dispatch, type SetStateAction, useRef } from "react"
import { upload } from "./api.ts"
import { Check, Clip, Close, Warning } from "./icons.tsx"

export interface Attaching {
  readonly key: string
  readonly name: string
  /** 0 to 1. */
  readonly share: number
  readonly state: "going" | "done" | "failed"
  readonly error: string
  readonly stop: AbortController
}

type Change = Dispatch<SetStateAction<ReadonlyArray<Attaching>>>

const kinds = ".txt,.md,.markdown,.csv,.tsv,.json,.log,.html,.htm,.xml,.yaml,.yml,.rst,text/*"

export const Attach = ({ flowId, onChange }: { readonly flowId: string; readonly onChange: Change }) => {
  const input = useRef<HTMLInputElement>(null)
  const count = useRef(0)

  const give = async (file: File) => {
    count.current += 1
    const key = `${count.current}`
    const stop = new AbortController()
    const change = (fields: Partial<Attaching>) =>
      onChange((files) => files.map((each) => (each.key === key ? { ...each, ...fields } : each)))
    onChange((files) => [...files, { key, name: file.name, share: 0, state: "going", error: "", stop }])
    try {
      await upload(flowId, file, (share) => change({ share }), stop.signal)
      change({ share: 1, state: "done" })
    } catch (error) {
      change({ state: "failed", error: error instanceof Error ? error.message : String(error) })
    }
  }

  return (
    <>
      <input
        ref={input}
        type="file"
        accept={kinds}
        multiple
        className="hidden"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          for (const file of event.target.files ?? []) void give(file)
          event.target.value = ""
        }}
      />
      <button
        type="button"
        className="icon-button"
        aria-label="Add a document to ask about"
        title="Ask your own documents: add a text file"
        onClick={() => input.current?.click()}
      >
        <Clip />
      </button>
    </>
  )
}

const words = (file: Attaching): string => {
  if (file.state === "done") return "ready to be asked about"
  if (file.state === "failed") return `not added: ${file.error}`
  return file.share < 1 ? `${Math.round(file.share * 100)} %` : "reading it…"
}

export const Attachments = (props: {
  readonly files: ReadonlyArray<Attaching>
  readonly onChange: Change
}) => {
  if (props.files.length === 0) return null
  return (
    <ul className="attachments" aria-label="Documents added" aria-live="polite">
      {props.files.map((file) => (
        <li key={file.key} className={`attachment ${file.state}`}>
          {file.state === "done" ? <Check /> : file.state === "failed" ? <Warning /> : <Clip />}
          <span className="attachment-name">{file.name}</span>
          {file.state === "going" && (
            <progress max={1} value={file.share} aria-label={`Uploading ${file.name}`} />
          )}
          <span className="attachment-state" aria-hidden={file.state === "going"}>
            {words(file)}
          </span>
          <button
            type="button"
            className="icon-button small"
            aria-label={file.state === "going" ? `Call off ${file.name}` : `Hide ${file.name}`}
            onClick={() => {
              file.stop.abort()
              props.onChange((files) => files.filter(({ key }) => key !== file.key))
            }}
          >
            <Close />
          </button>
        </li>
      ))}
    </ul>
  )
}

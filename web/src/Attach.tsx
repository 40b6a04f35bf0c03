/** Giving the app files, and watching them go. */
import { type ReactNode, useRef } from "react"
import { Check, Clip, Close, Upload, Warning } from "./icons.tsx"
import type { Attaching, Uploads } from "./useUploads.ts"

/** What the server can read: docs/configuration.md. */
const documents =
  ".pdf,.docx,.xlsx,.txt,.md,.markdown,.csv,.tsv,.json,.log,.html,.htm,.xml,.yaml,.yml,.rst,text/*"
const images = ".png,.jpg,.jpeg,.gif,.webp,image/*"

const acceptOf = {
  any: `${documents},${images}`,
  file: documents,
  image: images,
  json: ".json,application/json"
}

interface PickerProps {
  readonly accept?: keyof typeof acceptOf
  readonly multiple?: boolean
  readonly label: string
  readonly onFiles: (files: Iterable<File>) => void
  /** Looks like a button with words. */
  readonly children?: ReactNode
  readonly describedBy?: string | undefined
}

/** A button that opens the system's choice of files. */
export const FilePicker = (props: PickerProps) => {
  const input = useRef<HTMLInputElement>(null)
  const { accept = "file", multiple = true, label, children } = props
  return (
    <>
      <input
        ref={input}
        type="file"
        accept={acceptOf[accept]}
        multiple={multiple}
        className="hidden"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          props.onFiles([...(event.target.files ?? [])])
          event.target.value = ""
        }}
      />
      <button
        type="button"
        className={children === undefined ? "icon-button" : "button"}
        aria-label={children === undefined ? label : undefined}
        aria-describedby={props.describedBy}
        title={label}
        onClick={() => input.current?.click()}
      >
        {children === undefined ? (
          <Clip />
        ) : (
          <>
            <Upload />
            {children}
          </>
        )}
      </button>
    </>
  )
}

const words = (file: Attaching, ready: string): string => {
  if (file.state === "done") return ready
  if (file.state === "failed") return `not added: ${file.error}`
  return file.share < 1 ? `${Math.round(file.share * 100)} %` : "reading it…"
}

export const Attachments = ({
  uploads,
  ready = "ready to be asked about"
}: {
  readonly uploads: Uploads
  readonly ready?: string
}) => {
  if (uploads.files.length === 0) return null
  return (
    <ul className="attachments" aria-label="Documents added" aria-live="polite">
      {uploads.files.map((file) => (
        <li key={file.key} className="attachment" data-status={file.state}>
          {file.state === "done" ? <Check /> : file.state === "failed" ? <Warning /> : <Clip />}
          <span className="attachment-name">{file.name}</span>
          {file.state === "going" && (
            <progress max={1} value={file.share} aria-label={`Uploading ${file.name}`} />
          )}
          <span className="attachment-state" aria-hidden={file.state === "going"}>
            {words(file, ready)}
          </span>
          <button
            type="button"
            className="icon-button small"
            aria-label={file.state === "going" ? `Call off ${file.name}` : `Hide ${file.name}`}
            onClick={() => uploads.remove(file.key)}
          >
            <Close />
          </button>
        </li>
      ))}
    </ul>
  )
}

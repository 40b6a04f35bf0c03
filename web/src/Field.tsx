/** One field of a form: a text, a choice, several of them, or files. */
import TextareaAutosize from "react-textarea-autosize"
import type { FormField } from "../../src/client/client.ts"
import { Attachments, FilePicker } from "./Attach.tsx"
import { asList } from "./formDraft.ts"
import type { Place } from "./reply.ts"
import { type Uploads, useUploads } from "./useUploads.ts"

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

export const FieldInput = (props: FieldProps) => {
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

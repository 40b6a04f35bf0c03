/** Brings apps that were exported from Bisheng: a file in, and what became of each app. */
import { Dialog } from "radix-ui"
import { useState } from "react"
import { FilePicker } from "./Attach.tsx"
import { type Imported, importApps, putOnline } from "./api.ts"
import { Check, Close, Upload, Warning } from "./icons.tsx"
import { hrefOf, newChat } from "./route.ts"

type Step =
  | { readonly is: "asking" }
  | { readonly is: "reading"; readonly file: string }
  | { readonly is: "failed"; readonly file: string; readonly why: string }
  | { readonly is: "done"; readonly apps: ReadonlyArray<Imported> }

const why = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

export const ImportApps = ({ onImported }: { readonly onImported: () => void }) => {
  const [step, setStep] = useState<Step>({ is: "asking" })
  const [open, setOpen] = useState(false)

  const read = async (file: File) => {
    setStep({ is: "reading", file: file.name })
    try {
      const apps = await importApps(await file.text())
      setStep({ is: "done", apps })
      if (apps.some(({ id }) => id !== "")) onImported()
    } catch (cause) {
      setStep({ is: "failed", file: file.name, why: why(cause) })
    }
  }

  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        if (next) setStep({ is: "asking" })
      }}
    >
      <Dialog.Trigger className="button">
        <Upload />
        Import apps
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog wide">
          <Dialog.Close className="icon-button drawer-close" aria-label="Close">
            <Close />
          </Dialog.Close>
          <Dialog.Title>Import apps</Dialog.Title>
          <Dialog.Description>
            Choose a file of skills or workflows that was exported from Bisheng. You are told of each app
            whether it runs here, and what it lacks if not.
          </Dialog.Description>
          {step.is === "reading" && <p role="status">Reading {step.file}…</p>}
          {step.is === "failed" && (
            <p className="error" role="alert">
              {step.file} was not imported: {step.why}
            </p>
          )}
          {step.is === "done" && (
            <Results apps={step.apps} onClose={() => setOpen(false)} onOnline={onImported} />
          )}
          <div className="dialog-actions">
            <JsonPicker onFile={(file) => void read(file)} busy={step.is === "reading"} />
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

const JsonPicker = (props: { readonly onFile: (file: File) => void; readonly busy: boolean }) =>
  props.busy ? null : (
    <FilePicker
      accept="json"
      multiple={false}
      label="Choose an exported file"
      onFiles={(files) => {
        for (const file of files) props.onFile(file)
      }}
    >
      Choose a file
    </FilePicker>
  )

const runs = ({ id, lacks }: Imported): boolean => id !== "" && lacks.length === 0

const resultOf = (app: Imported): string => {
  if (app.error !== "") return `Not imported: ${app.error}`
  return app.lacks.length === 0 ? "Runs here" : `Lacks ${app.lacks.join("; ")}`
}

const Results = (props: {
  readonly apps: ReadonlyArray<Imported>
  readonly onClose: () => void
  readonly onOnline: () => void
}) => {
  const fine = props.apps.filter(runs).length
  if (props.apps.length === 0) return <p role="status">There was no app in the file.</p>
  return (
    <>
      <p role="status">
        {fine} of {props.apps.length} run here.
      </p>
      <div className="table results">
        <table>
          <thead>
            <tr>
              <th scope="col">App</th>
              <th scope="col">Result</th>
              <th scope="col">
                <span className="hidden">Open</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {props.apps.map((app) => (
              <tr key={app.key}>
                <th scope="row">{app.name || "Without a name"}</th>
                <td className={runs(app) ? "fine" : "lacks"}>
                  {runs(app) ? <Check /> : <Warning />}
                  <span>{resultOf(app)}</span>
                </td>
                <td>{runs(app) && <Open app={app} onClose={props.onClose} onOnline={props.onOnline} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

/** What was imported is offline: it goes online with the first click, for everybody. */
const Open = (props: {
  readonly app: Imported
  readonly onClose: () => void
  readonly onOnline: () => void
}) => {
  const [online, setOnline] = useState(props.app.online)
  const [error, setError] = useState("")
  if (online) {
    return (
      <a className="link" href={hrefOf(newChat(props.app.id))} onClick={props.onClose}>
        Open
      </a>
    )
  }
  const put = async () => {
    try {
      await putOnline(props.app.id)
      setOnline(true)
      props.onOnline()
    } catch (cause) {
      setError(why(cause))
    }
  }
  return (
    <>
      <button type="button" className="link" onClick={() => void put()}>
        Put online
      </button>
      {error !== "" && (
        <span className="error" role="alert">
          {error}
        </span>
      )}
    </>
  )
}

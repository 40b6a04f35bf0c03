import { useEffect, useState } from "react"
import { Check, Copy } from "./icons.tsx"

/** Pages that are not served securely have no clipboard of the new kind; the old way still works. */
const copy = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement("textarea")
    area.value = text
    area.style.position = "fixed"
    document.body.append(area)
    area.select()
    const done = document.execCommand("copy")
    area.remove()
    return done
  }
}

const words = { ready: "Copy", done: "Copied", failed: "Not copied" }

export const CopyButton = ({ text, what }: { readonly text: () => string; readonly what: string }) => {
  const [state, setState] = useState<keyof typeof words>("ready")
  useEffect(() => {
    if (state === "ready") return
    const timer = setTimeout(() => setState("ready"), 2000)
    return () => clearTimeout(timer)
  }, [state])
  return (
    <button
      type="button"
      className="copy"
      aria-label={state === "ready" ? `Copy this ${what}` : words[state]}
      onClick={async () => setState((await copy(text())) ? "done" : "failed")}
    >
      {state === "done" ? <Check /> : <Copy />}
      <span aria-live="polite">{words[state]}</span>
    </button>
  )
}

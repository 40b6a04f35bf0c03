/** Where questions are written: Enter sends, Shift+Enter starts a line, Esc stops the answer. */
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react"
import TextareaAutosize from "react-textarea-autosize"
import { Attach, type Attaching, Attachments } from "./Attach.tsx"
import { Send, Stop } from "./icons.tsx"

/** Well under the server's limit for one message. */
const maxLength = 200_000

export const Composer = (props: {
  readonly flowId: string
  readonly appName: string
  readonly busy: boolean
  readonly ask: (text: string) => void
  readonly onStop: () => void
}) => {
  const [files, setFiles] = useState<ReadonlyArray<Attaching>>([])
  const [text, setText] = useState("")
  const form = useRef<HTMLFormElement>(null)
  const input = useRef<HTMLTextAreaElement>(null)

  useEffect(() => {
    // On a phone the focus would bring the keyboard up over the page.
    if (window.matchMedia("(hover: hover)").matches) input.current?.focus()
  }, [])

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() === "") return
    props.ask(text.trim())
    setText("")
    input.current?.focus()
  }

  const pressed = (event: KeyboardEvent) => {
    // While a word is being composed, Enter belongs to the input method.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    form.current?.requestSubmit()
  }

  return (
    <footer className="composer">
      <Attachments files={files} onChange={setFiles} />
      <form ref={form} className="composer-form" onSubmit={submit}>
        <Attach flowId={props.flowId} onChange={setFiles} />
        <TextareaAutosize
          ref={input}
          className="composer-input"
          aria-label="Your question"
          placeholder={props.appName === "" ? "Ask something" : `Ask ${props.appName}`}
          maxLength={maxLength}
          maxRows={10}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={pressed}
        />
        {props.busy && (
          <button
            type="button"
            className="round stop"
            aria-label="Stop the answer"
            title="Stop (Esc)"
            onClick={props.onStop}
          >
            <Stop />
          </button>
        )}
        <button
          type="submit"
          className="round send"
          aria-label="Send"
          title="Send (Enter)"
          disabled={text.trim() === ""}
        >
          <Send />
        </button>
      </form>
      <p className="hint">
        {props.busy ? (
          <>
            <kbd>Esc</kbd> stops · questions you send now wait their turn
          </>
        ) : (
          <>
            <kbd>Enter</kbd> sends · <kbd>Shift</kbd>+<kbd>Enter</kbd> starts a line
          </>
        )}
      </p>
    </footer>
  )
}

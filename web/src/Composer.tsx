/** Where questions and replies are written: Enter sends, Shift+Enter starts a line, Esc stops the answer. */
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react"
import TextareaAutosize from "react-textarea-autosize"
import type { Prompt, Session } from "../../src/client/client.ts"
import { Attachments, FilePicker } from "./Attach.tsx"
import type { App } from "./api.ts"
import { Play, Send, Stop } from "./icons.tsx"
import { RunPanel } from "./RunPanel.tsx"
import type { Reply } from "./reply.ts"
import { arrived, useUploads } from "./useUploads.ts"

/** Well under the server's limit for one message. */
export const maxLength = 200_000

interface ComposerProps {
  readonly session: Session
  readonly app: App | undefined
  readonly appName: string
  readonly busy: boolean
  /** What is asked of the person now. */
  readonly waiting: Prompt | null
  /** Whether the conversation has something in it. */
  readonly begun: boolean
  readonly ask: (text: string) => void
  readonly reply: Reply
  readonly onStop: () => void
}

export const Composer = (props: ComposerProps) => {
  const { waiting, busy, app } = props
  const stop = <StopButton onStop={props.onStop} />
  if (waiting !== null && waiting.kind !== "input" && waiting.kind !== "continue") {
    return (
      <footer className="composer">
        <div className="composer-form aside">
          <p className="note" role="status">
            {waiting.kind === "form" ? "Fill in the form above to go on." : "Answer above to go on."}
          </p>
          {stop}
        </div>
      </footer>
    )
  }
  if (waiting === null && app?.kind === "workflow") {
    return (
      <footer className="composer">
        <div className="composer-form aside">
          {busy ? (
            <>
              <p className="note">It is at work.</p>
              {stop}
            </>
          ) : (
            <button type="button" className="button primary" onClick={() => props.session.start()}>
              <Play />
              {props.begun ? "Start again" : `Start ${props.appName}`}
            </button>
          )}
        </div>
      </footer>
    )
  }
  if (waiting === null && (app?.kind === "batch" || app?.kind === "report")) {
    return (
      <footer className="composer">
        {busy ? (
          <div className="composer-form aside">
            <p className="note">It is at work; what is answered is kept when you stop.</p>
            {stop}
          </div>
        ) : (
          <RunPanel app={app} session={props.session} />
        )}
      </footer>
    )
  }
  // A reply is another text than a question: each keeps its own.
  return <Writing key={waiting === null ? "question" : "reply"} {...props} />
}

const StopButton = ({ onStop }: { readonly onStop: () => void }) => (
  <button
    type="button"
    className="round stop"
    aria-label="Stop the answer"
    title="Stop (Esc)"
    onClick={onStop}
  >
    <Stop />
  </button>
)

const Writing = (props: ComposerProps) => {
  const { session, waiting } = props
  const uploads = useUploads(session.flowId, session.chatId)
  const [text, setText] = useState("")
  const form = useRef<HTMLFormElement>(null)
  const input = useRef<HTMLTextAreaElement>(null)
  const attached = waiting?.kind === "input" && waiting.filesKey !== null ? arrived(uploads.files) : []
  const nothing = text.trim() === "" && attached.length === 0
  const takesFiles = waiting === null || (waiting.kind === "input" && waiting.filesKey !== null)

  useEffect(() => {
    // On a phone the focus would bring the keyboard up over the page.
    if (window.matchMedia("(hover: hover)").matches) input.current?.focus()
  }, [])

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (nothing) return
    if (waiting === null) props.ask(text.trim())
    else {
      props.reply(waiting, text.trim(), attached)
      uploads.clear()
    }
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
      <Attachments uploads={uploads} {...(waiting === null ? {} : { ready: "goes with your reply" })} />
      <form ref={form} className="composer-form" onSubmit={submit}>
        {takesFiles && (
          <FilePicker
            label={waiting === null ? "Add a document to ask about" : "Add a file to your reply"}
            accept={waiting?.kind === "input" ? waiting.accept : "file"}
            onFiles={uploads.add}
          />
        )}
        <TextareaAutosize
          ref={input}
          className="composer-input"
          aria-label={waiting === null ? "Your question" : "Your reply"}
          placeholder={placeholderOf(props)}
          maxLength={maxLength}
          maxRows={10}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={pressed}
        />
        {(props.busy || waiting !== null) && <StopButton onStop={props.onStop} />}
        <button
          type="submit"
          className="round send"
          aria-label={waiting === null ? "Send" : "Send your reply"}
          title="Send (Enter)"
          disabled={nothing}
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
            {waiting === null ? "" : "It waits for you, also if you come back later · "}
            <kbd>Enter</kbd> sends · <kbd>Shift</kbd>+<kbd>Enter</kbd> starts a line
          </>
        )}
      </p>
    </footer>
  )
}

const placeholderOf = ({ waiting, appName }: ComposerProps): string => {
  if (waiting !== null) return waiting.name === "" ? "Reply" : `Reply to ${waiting.name}`
  return appName === "" ? "Ask something" : `Ask ${appName}`
}

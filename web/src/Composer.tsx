/** Where questions are written: Enter sends, Shift+Enter starts a line, Esc stops the answer. */
import { ComposerPrimitive } from "@assistant-ui/react"
import { useState } from "react"
import { Attach, type Attaching, Attachments } from "./Attach.tsx"
import { Send, Stop } from "./icons.tsx"

/** Well under the server's limit for one message. */
const maxLength = 200_000

export const Composer = (props: {
  readonly flowId: string
  readonly appName: string
  readonly busy: boolean
  readonly onStop: () => void
}) => {
  const [files, setFiles] = useState<ReadonlyArray<Attaching>>([])
  return (
    <footer className="composer">
      <Attachments files={files} onChange={setFiles} />
      <ComposerPrimitive.Root className="composer-form">
        <Attach flowId={props.flowId} onChange={setFiles} />
        <ComposerPrimitive.Input
          className="composer-input"
          aria-label="Your question"
          placeholder={props.appName === "" ? "Ask something" : `Ask ${props.appName}`}
          maxLength={maxLength}
          maxRows={10}
          cancelOnEscape={false}
          addAttachmentOnPaste={false}
          autoFocus
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
        <ComposerPrimitive.Send className="round send" aria-label="Send" title="Send (Enter)">
          <Send />
        </ComposerPrimitive.Send>
      </ComposerPrimitive.Root>
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

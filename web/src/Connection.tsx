/** Whether the server hears us, and what to do if it does not. */
import { useEffect, useState } from "react"
import type { ConnectionState } from "../../src/client/client.ts"

const wordOf = (state: ConnectionState): string => {
  switch (state.status) {
    case "connected":
      return "Connected"
    case "idle":
      return "Not connected"
    case "connecting":
      return state.attempt === 0 ? "Connecting" : "Reconnecting"
    case "waiting":
      return "Reconnecting"
    case "refused":
      return "Disconnected"
  }
}

export const ConnectionDot = ({ state }: { readonly state: ConnectionState }) => (
  <span className="connection" data-status={state.status} role="status">
    <span className="dot" aria-hidden="true" />
    {wordOf(state)}
  </span>
)

const useSecondsUntil = (at: number | null): number => {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (at === null) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [at])
  return at === null ? 0 : Math.max(0, Math.ceil((at - now) / 1000))
}

interface Remedy {
  readonly words: string
  readonly action: "retry" | "sign in" | null
}

/** What a refusal means to the reader: docs/protocol.md, "Errors and close frames". */
const remedyOf = (code: number, reason: string): Remedy => {
  switch (code) {
    case 401:
    case 4401:
      return { words: "You are no longer signed in. Sign in to go on; this chat is kept.", action: "sign in" }
    case 403:
      return { words: "This chat is not yours, or was deleted. Start one of your own.", action: null }
    case 4403:
      return { words: "This app is not online at the moment. You can read, but not ask.", action: "retry" }
    case 4404:
      return { words: "This app does not exist any more. You can still read what was said.", action: null }
    case 4409:
      return { words: "This app is not built yet. Build it, then try again.", action: "retry" }
    case 1009:
      return {
        words: "The message was too long for the server. Shorten it and send it again.",
        action: "retry"
      }
    default:
      return {
        words: `The server ended the connection${reason === "" ? "" : ` (${reason})`}.`,
        action: "retry"
      }
  }
}

export const ConnectionBar = (props: {
  readonly state: ConnectionState
  readonly onRetry: () => void
  readonly onSignIn: () => void
}) => {
  const { state } = props
  const seconds = useSecondsUntil(state.status === "waiting" ? state.retryAt : null)
  if (state.status === "refused") {
    const { words, action } = remedyOf(state.code, state.reason)
    return (
      <div className="connection-bar bad" role="alert">
        <span>{words}</span>
        {action !== null && (
          <button
            type="button"
            className="link"
            onClick={action === "retry" ? props.onRetry : props.onSignIn}
          >
            {action === "retry" ? "Try again" : "Sign in"}
          </button>
        )}
      </div>
    )
  }
  const trying = state.status === "connecting" && state.attempt > 0
  if (state.status !== "waiting" && !trying) return null
  return (
    <div className="connection-bar" role="status">
      <span>
        {navigator.onLine
          ? "Connection lost; reconnecting."
          : "You are offline; reconnecting when you are back."}
      </span>
      {/* The countdown is for the eye: read out each second it would drown everything else. */}
      <span aria-hidden="true">{trying || seconds === 0 ? "Trying now…" : `Next try in ${seconds} s`}</span>
      {!trying && (
        <button type="button" className="link" onClick={props.onRetry}>
          Try now
        </button>
      )}
    </div>
  )
}

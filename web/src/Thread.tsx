/** The conversation, oldest first, following its end unless the reader scrolled away. */
import { ThreadPrimitive } from "@assistant-ui/react"
import { useCallback, useEffect, useLayoutEffect, useRef } from "react"
import type { ChatState, Session } from "../../src/client/client.ts"
import { Answer } from "./Answer.tsx"
import type { App } from "./api.ts"
import { useAsk } from "./ChatRuntime.tsx"
import { Down } from "./icons.tsx"
import { Question } from "./Question.tsx"
import { Trouble } from "./Trouble.tsx"

const components = { UserMessage: Question, AssistantMessage: Answer }

export const Thread = (props: {
  readonly session: Session
  readonly state: ChatState
  readonly busy: boolean
  readonly app: App | undefined
}) => {
  const { state, session } = props
  const viewport = useRef<HTMLDivElement>(null)
  const loadOlder = useOlder(session, state, viewport)
  const empty = state.messages.length === 0
  return (
    <ThreadPrimitive.Root className="thread">
      <ThreadPrimitive.Viewport
        ref={viewport}
        className="viewport"
        role="log"
        aria-label="Conversation"
        aria-live="off"
        aria-busy={props.busy}
        id="main"
        tabIndex={-1}
      >
        <div className="column">
          {state.before !== null && (
            <button
              type="button"
              className="button quiet older"
              disabled={state.history === "loading"}
              onClick={loadOlder}
            >
              {state.history === "loading" ? "Loading…" : "Load older messages"}
            </button>
          )}
          {state.history === "failed" && (
            <Trouble
              title="The earlier messages could not be loaded"
              detail="They are kept on the server; only the loading failed."
              action="Try again"
              onAction={() => void session.reload()}
            />
          )}
          {empty && state.history === "loading" && (
            <p className="note center" role="status">
              Loading the chat…
            </p>
          )}
          {empty && state.history !== "loading" && <Welcome app={props.app} />}
          <ThreadPrimitive.Messages components={components} />
          {state.status === "error" && state.error !== null && !isShown(state) && (
            <Trouble title={state.error.message} detail={state.error.detail} />
          )}
        </div>
        <ThreadPrimitive.ScrollToBottom
          className="icon-button to-bottom"
          aria-label="Go to the newest message"
        >
          <Down />
        </ThreadPrimitive.ScrollToBottom>
      </ThreadPrimitive.Viewport>
    </ThreadPrimitive.Root>
  )
}

/** An error that belongs to a message is shown there. */
const isShown = ({ messages, error }: ChatState): boolean =>
  messages.some((message) => message.error === error)

/** Loads older messages, at the top or when asked, without moving what the reader looks at. */
const useOlder = (
  session: Session,
  state: ChatState,
  viewport: { readonly current: HTMLDivElement | null }
) => {
  /** Where the reader was, seen from the end, and which message was first then. */
  const held = useRef<{ readonly fromEnd: number; readonly first: string | undefined } | null>(null)
  const first = state.messages[0]?.id
  const ready = state.before !== null && state.history === "loaded"

  const load = useCallback(() => {
    const element = viewport.current
    if (element === null) return
    held.current = { fromEnd: element.scrollHeight - element.scrollTop, first }
    void session.loadOlder()
  }, [session, first, viewport])

  useLayoutEffect(() => {
    const element = viewport.current
    if (element === null || held.current === null || held.current.first === first) return
    element.scrollTop = element.scrollHeight - held.current.fromEnd
    held.current = null
  }, [first, viewport])

  useEffect(() => {
    const element = viewport.current
    if (element === null || !ready) return
    const scrolled = () => {
      if (element.scrollTop < 40 && element.scrollHeight > element.clientHeight) load()
    }
    element.addEventListener("scroll", scrolled, { passive: true })
    return () => element.removeEventListener("scroll", scrolled)
  }, [ready, load, viewport])
  return load
}

const Welcome = ({ app }: { readonly app: App | undefined }) => {
  const ask = useAsk()
  return (
    <section className="welcome" aria-label="Start of the chat">
      <h2>{app?.name ?? "A new chat"}</h2>
      <p className="lead">
        {app?.greeting || app?.description || "Ask anything. The answer appears as it is written."}
      </p>
      {app !== undefined && app.starters.length > 0 && (
        <ul className="starters">
          {app.starters.slice(0, 6).map((question) => (
            <li key={question}>
              <button type="button" className="starter" onClick={() => ask(question)}>
                {question}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

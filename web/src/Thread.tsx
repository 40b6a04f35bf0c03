/** The conversation, oldest first, following its end unless the reader scrolled away. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import type { ChatState, Message, Prompt, Session } from "../../src/client/client.ts"
import { Answer } from "./Answer.tsx"
import type { App } from "./api.ts"
import { Down } from "./icons.tsx"
import { type AskFunction, Question } from "./Question.tsx"
import type { Reply } from "./reply.ts"
import { Trouble } from "./Trouble.tsx"

export const Thread = (props: {
  readonly session: Session
  readonly state: ChatState
  readonly busy: boolean
  readonly app: App | undefined
  readonly ask: AskFunction
  readonly reply: Reply
}) => {
  const { state, session, reply } = props
  const { waiting } = state
  const viewport = useRef<HTMLDivElement>(null)
  const place = useMemo(() => ({ flowId: session.flowId, chatId: session.chatId }), [session])
  const resend = useCallback((clientMsgId: string) => void session.resend(clientMsgId), [session])
  const starter = useMemo(
    () => (waiting?.kind === "input" ? (question: string) => reply(waiting, question) : null),
    [waiting, reply]
  )
  const loadOlder = useOlder(session, state, viewport)
  const [away, follow] = useFollow(state, viewport)
  const refused = state.connection.status === "refused"
  const empty = state.messages.length === 0
  return (
    <div className="thread">
      <div
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
          {state.history === "failed" && !refused && (
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
          {empty && !refused && state.history !== "loading" && <Welcome app={props.app} ask={props.ask} />}
          {state.messages.map((message, i) =>
            isInQueue(state, message) ? null : message.role === "user" ? (
              <Question
                key={message.id}
                question={message}
                ask={props.ask}
                onAgain={resend}
                unanswered={!props.busy && isUnanswered(state, i)}
              />
            ) : (
              <Answer
                key={message.id}
                answer={message}
                question={questionBefore(state, i)}
                ask={props.ask}
                prompts={message.runId !== null && message.runId === state.runId ? state.prompts : none}
                place={place}
                reply={reply}
                onStarter={message.runId === state.runId ? starter : null}
                onAgain={resend}
              />
            )
          )}
          {state.status === "error" && state.error !== null && !isShown(state) && (
            <Trouble title={state.error.message} detail={state.error.detail} />
          )}
        </div>
        {away && (
          <button
            type="button"
            className="icon-button to-bottom"
            aria-label="Go to the newest message"
            onClick={follow}
          >
            <Down />
          </button>
        )}
      </div>
    </div>
  )
}

const none: ReadonlyArray<Prompt> = []

const questionBefore = ({ messages }: ChatState, place: number): string | null => {
  const before = messages[place - 1]
  return before?.role === "user" ? before.text : null
}

/** What waits for its turn is shown where it can be changed, and comes here when it begins. */
const isInQueue = ({ queue }: ChatState, message: Message): boolean =>
  message.role === "user" &&
  message.delivery === "queued" &&
  queue.some(({ runId }) => runId === message.runId)

const isUnanswered = ({ messages, history }: ChatState, place: number): boolean => {
  const question = messages[place]
  const answer = messages[place + 1]
  return (
    history === "loaded" &&
    question?.role === "user" &&
    question.delivery === "sent" &&
    answer?.role !== "assistant"
  )
}

/** An error that belongs to a message is shown there. */
const isShown = ({ messages, error }: ChatState): boolean =>
  messages.some(
    (message) =>
      message.error === error ||
      (message.role === "assistant" &&
        message.parts.some((part) => part.kind === "reply" && part.error === error))
  )

/** Stays at the end while the answer grows, unless the reader went away from it; a question of theirs brings them back. */
const useFollow = (
  state: ChatState,
  viewport: { readonly current: HTMLDivElement | null }
): readonly [boolean, () => void] => {
  const [away, setAway] = useState(false)
  const following = useRef(true)
  const last = state.messages.findLast((message) => message.role === "assistant")
  const replied = last?.parts.findLast((part) => part.kind === "reply")?.id ?? ""
  const asked = `${state.messages.findLast(({ role }) => role === "user")?.id ?? ""} ${replied}`

  const follow = useCallback(() => {
    const element = viewport.current
    if (element === null) return
    following.current = true
    element.scrollTop = element.scrollHeight
  }, [viewport])

  useEffect(() => {
    if (asked !== "") follow()
  }, [asked, follow])

  useEffect(() => {
    const element = viewport.current
    const content = element?.firstElementChild
    if (!element || !content) return
    let height = element.scrollHeight
    const scrolled = () => {
      const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 60
      // What grows moves the end away by itself: only the reader's own scrolling counts.
      if (atEnd) following.current = true
      else if (element.scrollHeight === height) following.current = false
      height = element.scrollHeight
      setAway(!atEnd && !following.current)
    }
    const observer = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight
      height = element.scrollHeight
    })
    observer.observe(content)
    observer.observe(element)
    element.addEventListener("scroll", scrolled, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener("scroll", scrolled)
    }
  }, [viewport])
  return [away, follow]
}

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

/** These begin in another way than with a question. */
export const withoutQuestions: ReadonlySet<App["kind"]> = new Set(["workflow", "batch", "report"])

const Welcome = ({ app, ask }: { readonly app: App | undefined; readonly ask: AskFunction }) => {
  return (
    <section className="welcome" aria-label="Start of the chat">
      <h2>{app?.name ?? "A new chat"}</h2>
      <p className="lead">
        {app?.greeting || app?.description || "Ask anything. The answer appears as it is written."}
      </p>
      {app !== undefined && !withoutQuestions.has(app.kind) && app.starters.length > 0 && (
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

/** One chat: its session, its messages, and where to write the next question. */
import type { ReactNode } from "react"
import { useCallback, useEffect, useRef } from "react"
import type { ChatState, Client, Session } from "../../src/client/client.ts"
import { Announcer } from "./Announcer.tsx"
import type { App } from "./api.ts"
import { Composer } from "./Composer.tsx"
import { ConnectionBar, ConnectionDot } from "./Connection.tsx"
import type { Reply } from "./reply.ts"
import { ThemeButton } from "./ThemeButton.tsx"
import { Thread, withoutQuestions } from "./Thread.tsx"
import { useChatState, useSession } from "./useSession.ts"
import { Waiting } from "./Waiting.tsx"

interface ChatProps {
  readonly client: Client
  readonly flowId: string
  readonly chatId: string
  readonly app: App | undefined
  readonly appName: string
  readonly menu: ReactNode
  /** The list of chats may have changed. */
  readonly onChanged: () => void
  readonly onSignIn: () => void
}

export const Chat = (props: ChatProps) => {
  const session = useSession(props.client, props.flowId, props.chatId)
  return session === null ? (
    <div className="page" />
  ) : (
    <OpenChat key={session.chatId} session={session} {...props} />
  )
}

const isBusy = ({ status }: ChatState): boolean => status === "submitted" || status === "streaming"

const OpenChat = ({ session, ...props }: ChatProps & { readonly session: Session }) => {
  const state = useChatState(session)
  const busy = isBusy(state)
  const waits = state.waiting !== null
  const { onChanged } = props

  const ask = useCallback(
    (text: string) => {
      session.send(text)
    },
    [session]
  )

  const reply = useCallback<Reply>(
    (prompt, answer, files) => {
      session.reply(answer, files === undefined ? { prompt } : { prompt, files })
    },
    [session]
  )

  // A run that begins or ends moves the chat up in the list, or puts it there.
  const runId = state.runId
  const before = useRef(runId)
  useEffect(() => {
    if (before.current !== runId) onChanged()
    before.current = runId
  }, [runId, onChanged])

  useEffect(() => {
    if (!busy && !waits) return
    const stop = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return
      if (document.querySelector("[role=dialog], [role=alertdialog]") !== null) return
      event.preventDefault()
      session.stop()
    }
    window.addEventListener("keydown", stop)
    return () => window.removeEventListener("keydown", stop)
  }, [busy, waits, session])

  return (
    <div className="page">
      <header className="bar">
        {props.menu}
        <h1 className="bar-title">{props.appName || "Chat"}</h1>
        <ConnectionDot state={state.connection} />
        <ThemeButton />
      </header>
      <ConnectionBar
        state={state.connection}
        onRetry={() => props.client.retry()}
        onSignIn={props.onSignIn}
      />
      <Thread session={session} state={state} busy={busy} app={props.app} ask={ask} reply={reply} />
      <Waiting
        session={session}
        queue={state.queue}
        editable={props.app === undefined || !withoutQuestions.has(props.app.kind)}
        ask={ask}
      />
      <Composer
        session={session}
        app={props.app}
        appName={props.appName}
        busy={busy}
        waiting={state.waiting}
        begun={state.messages.length > 0}
        ask={ask}
        reply={reply}
        onStop={() => session.stop()}
      />
      <Announcer state={state} />
    </div>
  )
}

/** Gives our session to assistant-ui's components: its thread, its messages and its composer read this. */
import {
  type AppendMessage,
  AssistantRuntimeProvider,
  type ThreadMessageLike,
  useExternalStoreRuntime
} from "@assistant-ui/react"
import { createContext, type ReactNode, useContext, useMemo } from "react"
import type { AssistantMessage, ChatState, Message, Session, UserMessage } from "../../src/client/client.ts"

const statuses = {
  running: { type: "running" },
  done: { type: "complete", reason: "stop" },
  stopped: { type: "incomplete", reason: "cancelled" },
  failed: { type: "incomplete", reason: "error" }
} as const

const convert = (message: Message): ThreadMessageLike => ({
  role: message.role,
  id: message.id,
  content: [{ type: "text", text: message.text }],
  ...(message.createdAt === null ? {} : { createdAt: new Date(message.createdAt) }),
  ...(message.role === "assistant" ? { status: statuses[message.status] } : {})
})

const textOf = (message: AppendMessage): string =>
  message.content.map((part) => (part.type === "text" ? part.text : "")).join("")

interface Shown {
  readonly byId: ReadonlyMap<string, Message>
  readonly last: Message | undefined
  readonly ask: (text: string, clientMsgId?: string) => void
}

const ShownContext = createContext<Shown>({ byId: new Map(), last: undefined, ask: () => undefined })

export const ChatRuntime = (props: {
  readonly session: Session
  readonly state: ChatState
  readonly busy: boolean
  readonly children: ReactNode
}) => {
  const { session, state } = props
  const ask = useMemo(
    () => (text: string, clientMsgId?: string) => {
      session.send(text, clientMsgId === undefined ? {} : { clientMsgId })
    },
    [session]
  )
  const queue = useMemo(
    () => ({
      // A question that waits is a message like any other here, and the server keeps the queue.
      items: [],
      enqueue: (message: AppendMessage) => ask(textOf(message)),
      steer: () => undefined,
      remove: () => undefined,
      clear: () => undefined
    }),
    [ask]
  )
  const runtime = useExternalStoreRuntime<Message>({
    messages: state.messages,
    isRunning: props.busy,
    convertMessage: convert,
    onNew: async (message) => ask(textOf(message)),
    queue
  })
  const shown = useMemo(
    () => ({
      byId: new Map(state.messages.map((message) => [message.id, message])),
      last: state.messages.at(-1),
      ask
    }),
    [state.messages, ask]
  )
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <ShownContext value={shown}>{props.children}</ShownContext>
    </AssistantRuntimeProvider>
  )
}

export const useAsk = () => useContext(ShownContext).ask

export const useQuestion = (id: string): UserMessage | null => {
  const message = useContext(ShownContext).byId.get(id)
  return message?.role === "user" ? message : null
}

export const useAnswer = (id: string): AssistantMessage | null => {
  const message = useContext(ShownContext).byId.get(id)
  return message?.role === "assistant" ? message : null
}

export const useLastMessage = (): Message | undefined => useContext(ShownContext).last

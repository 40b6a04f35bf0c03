/** Past chats: open one, delete one, start a new one. */
import { AlertDialog } from "radix-ui"
import { useRef, useState } from "react"
import type { Chat, Me } from "./api.ts"
import { Mark, Plus, Trash } from "./icons.tsx"
import { go, hrefOf } from "./route.ts"
import { fullTime, shortTime } from "./times.ts"
import type { Chats } from "./useChats.ts"

export const Sidebar = (props: {
  readonly me: Me
  readonly chats: Chats
  readonly chatId: string | null
  readonly onNew: () => void
  readonly onGo: () => void
  readonly onSignIn: () => void
  readonly onSignOut: () => void
}) => {
  const { me, chats, chatId } = props
  const newButton = useRef<HTMLButtonElement>(null)
  return (
    <div className="side">
      <a className="brand" href={hrefOf({ at: "start" })} onClick={props.onGo}>
        <Mark />
        Colloquy
      </a>
      <button ref={newButton} type="button" className="button primary new" onClick={props.onNew}>
        <Plus />
        New chat
      </button>
      <nav aria-label="Past chats" className="chats">
        {chats.state === "failed" && (
          <p className="note">
            Past chats could not be loaded.{" "}
            <button type="button" className="link" onClick={chats.refresh}>
              Try again
            </button>
          </p>
        )}
        {chats.state === "loaded" && chats.list.length === 0 && (
          <p className="note">Nothing here yet. Your chats will be listed as soon as you ask something.</p>
        )}
        <ul>
          {chats.list.map((chat) => (
            <ChatLink
              key={chat.chatId}
              chat={chat}
              current={chat.chatId === chatId}
              onGo={props.onGo}
              onDelete={async () => {
                await chats.remove(chat.chatId)
                if (chat.chatId === chatId) go({ at: "start" })
                newButton.current?.focus()
              }}
            />
          ))}
        </ul>
        {chats.hasMore && (
          <button type="button" className="button quiet" onClick={chats.more}>
            Show more
          </button>
        )}
      </nav>
      <div className="who">
        {me.isGuest ? (
          <>
            <span>You are a guest here.</span>
            <button type="button" className="link" onClick={props.onSignIn}>
              Sign in
            </button>
          </>
        ) : (
          <>
            <span className="who-name">{me.name}</span>
            <button type="button" className="link" onClick={props.onSignOut}>
              Sign out
            </button>
          </>
        )}
      </div>
    </div>
  )
}

const ChatLink = (props: {
  readonly chat: Chat
  readonly current: boolean
  readonly onGo: () => void
  readonly onDelete: () => Promise<void>
}) => {
  const { chat } = props
  return (
    <li className={props.current ? "chat current" : "chat"}>
      <a
        href={hrefOf({ at: "chat", flowId: chat.flowId.replaceAll("-", ""), chatId: chat.chatId })}
        aria-current={props.current ? "page" : undefined}
        onClick={props.onGo}
      >
        <span className="chat-title">{chat.title}</span>
        <span className="chat-meta">
          <span>{chat.appName}</span>
          {chat.at !== null && (
            <time dateTime={chat.at.toISOString()} title={fullTime(chat.at)}>
              {shortTime(chat.at)}
            </time>
          )}
        </span>
      </a>
      <DeleteButton title={chat.title} onDelete={props.onDelete} />
    </li>
  )
}

const DeleteButton = (props: { readonly title: string; readonly onDelete: () => Promise<void> }) => {
  const [open, setOpen] = useState(false)
  const [error, setError] = useState("")
  const remove = async () => {
    setError("")
    try {
      await props.onDelete()
      setOpen(false)
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    }
  }
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger className="icon-button delete" aria-label={`Delete “${props.title}”`}>
        <Trash />
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="overlay" />
        <AlertDialog.Content className="dialog">
          <AlertDialog.Title>Delete this chat?</AlertDialog.Title>
          <AlertDialog.Description>
            “{props.title}” disappears from your list, and its messages with it. This cannot be undone here.
          </AlertDialog.Description>
          {error !== "" && (
            <p className="error" role="alert">
              It was not deleted: {error}
            </p>
          )}
          <div className="dialog-actions">
            <AlertDialog.Cancel className="button">Keep it</AlertDialog.Cancel>
            <button type="button" className="button danger" onClick={remove}>
              Delete
            </button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}

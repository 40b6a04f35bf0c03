/** The frame of the page: past chats at the side, the chat or the apps in the middle. */
import { Dialog } from "radix-ui"
import { useCallback, useEffect, useState } from "react"
import { connect } from "../../src/client/client.ts"
import { type App, apps as fetchApps, type Me } from "./api.ts"
import { Chat } from "./Chat.tsx"
import { Close, Menu } from "./icons.tsx"
import { go, newChat, useRoute } from "./route.ts"
import { Sidebar } from "./Sidebar.tsx"
import { Start } from "./Start.tsx"
import { ThemeButton } from "./ThemeButton.tsx"
import { useChats } from "./useChats.ts"

const useNarrow = (): boolean => {
  const [query] = useState(() => window.matchMedia("(max-width: 820px)"))
  const [narrow, setNarrow] = useState(query.matches)
  useEffect(() => {
    const update = () => setNarrow(query.matches)
    query.addEventListener("change", update)
    return () => query.removeEventListener("change", update)
  }, [query])
  return narrow
}

interface Apps {
  readonly list: ReadonlyArray<App>
  readonly state: "loading" | "loaded" | "failed"
  readonly error: string
}

const useApps = (): readonly [Apps, () => void] => {
  const [found, setFound] = useState<Apps>({ list: [], state: "loading", error: "" })
  const load = useCallback(() => {
    setFound((before) => ({ ...before, state: "loading" }))
    fetchApps().then(
      (list) => setFound({ list, state: "loaded", error: "" }),
      (error: unknown) =>
        setFound({ list: [], state: "failed", error: error instanceof Error ? error.message : String(error) })
    )
  }, [])
  useEffect(load, [load])
  return [found, load]
}

/** Someone is looking: what comes back is tried soon. */
const backoff = { baseMs: 500, capMs: 8000 }

interface ShellProps {
  readonly me: Me
  readonly onSignIn: () => void
  readonly onSignOut: () => void
}

export const Shell = ({ me, onSignIn, onSignOut }: ShellProps) => {
  const [client] = useState(() => connect({ backoff }))
  const route = useRoute()
  const narrow = useNarrow()
  const [apps, reloadApps] = useApps()
  const chats = useChats()
  const [drawer, setDrawer] = useState(false)
  const app =
    route.at === "chat" ? apps.list.find(({ id }) => id.replaceAll("-", "") === route.flowId) : undefined
  const chatId = route.at === "chat" ? route.chatId : null

  useEffect(() => {
    const retry = () => client.retry()
    window.addEventListener("online", retry)
    return () => window.removeEventListener("online", retry)
  }, [client])

  useEffect(() => {
    const title = chats.list.find((chat) => chat.chatId === chatId)?.title ?? app?.name
    document.title = title === undefined ? "Colloquy" : `${title} · Colloquy`
  }, [chats.list, chatId, app])

  const begin = () => {
    setDrawer(false)
    go(route.at === "chat" ? newChat(route.flowId) : { at: "start" })
  }

  const side = (
    <Sidebar
      me={me}
      chats={chats}
      chatId={chatId}
      onNew={begin}
      onGo={() => setDrawer(false)}
      onSignIn={onSignIn}
      onSignOut={onSignOut}
    />
  )

  const menu = narrow ? (
    <Dialog.Root open={drawer} onOpenChange={setDrawer}>
      <Dialog.Trigger className="icon-button" aria-label="Past chats">
        <Menu />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="drawer" aria-describedby={undefined}>
          <Dialog.Title className="hidden">Past chats</Dialog.Title>
          <Dialog.Close className="icon-button drawer-close" aria-label="Close">
            <Close />
          </Dialog.Close>
          {side}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  ) : null

  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the chat
      </button>
      {narrow ? null : <aside aria-label="Past chats">{side}</aside>}
      {route.at === "chat" ? (
        <Chat
          key={`${route.flowId}/${route.chatId}`}
          client={client}
          flowId={route.flowId}
          chatId={route.chatId}
          app={app}
          appName={app?.name ?? chats.list.find((chat) => chat.chatId === chatId)?.appName ?? ""}
          menu={menu}
          onChanged={chats.refresh}
          onSignIn={onSignIn}
        />
      ) : (
        <div className="page">
          <header className="bar">
            {menu}
            <span className="bar-title" />
            <ThemeButton />
          </header>
          <Start apps={apps.list} state={apps.state} error={apps.error} onRetry={reloadApps} />
        </div>
      )}
    </div>
  )
}

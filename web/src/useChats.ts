/** Past chats, newest first, page by page. */
import { useCallback, useEffect, useRef, useState } from "react"
import { type Chat, deleteChat, chats as fetchChats } from "./api.ts"

export interface Chats {
  readonly list: ReadonlyArray<Chat>
  readonly state: "loading" | "loaded" | "failed"
  readonly hasMore: boolean
  readonly refresh: () => void
  readonly more: () => void
  readonly remove: (chatId: string) => Promise<void>
}

const pageSize = 40

export const useChats = (): Chats => {
  const [list, setList] = useState<ReadonlyArray<Chat>>([])
  const [state, setState] = useState<Chats["state"]>("loading")
  const [hasMore, setHasMore] = useState(false)
  const pages = useRef(1)
  const latest = useRef(0)

  const load = useCallback(async () => {
    latest.current += 1
    const mine = latest.current
    try {
      const asked = Array.from({ length: pages.current }, (_, i) => fetchChats(i + 1, pageSize))
      const found = await Promise.all(asked)
      if (mine !== latest.current) return
      // A chat that moved up between two pages would stand on both.
      setList([...new Map(found.flat().map((chat) => [chat.chatId, chat])).values()])
      setHasMore(found.at(-1)?.length === pageSize)
      setState("loaded")
    } catch {
      if (mine === latest.current) setState("failed")
    }
  }, [])

  const refresh = useCallback(() => void load(), [load])

  const more = useCallback(() => {
    pages.current += 1
    void load()
  }, [load])

  const remove = useCallback(
    async (chatId: string) => {
      await deleteChat(chatId)
      setList((before) => before.filter((chat) => chat.chatId !== chatId))
      await load()
    },
    [load]
  )

  useEffect(() => {
    refresh()
    const shown = () => {
      if (!document.hidden) refresh()
    }
    document.addEventListener("visibilitychange", shown)
    return () => document.removeEventListener("visibilitychange", shown)
  }, [refresh])

  return { list, state, hasMore, refresh, more, remove }
}

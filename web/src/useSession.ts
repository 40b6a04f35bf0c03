/** The SDK's session as React state. */
import { useEffect, useState, useSyncExternalStore } from "react"
import type { Client, Session } from "../../src/client/client.ts"

/** The session of a chat, open while the component is. null for the moment before it is opened. */
export const useSession = (client: Client, flowId: string, chatId: string): Session | null => {
  const [session, setSession] = useState<Session | null>(null)
  useEffect(() => {
    const opened = client.session({ flowId, chatId, history: true })
    setSession(opened)
    return () => {
      setSession(null)
      opened.close()
    }
  }, [client, flowId, chatId])
  return session
}

/** Calls back once a frame of the screen at most, however many tokens arrive. */
const perFrame =
  (subscribe: (listener: () => void) => () => void) =>
  (listener: () => void): (() => void) => {
    let scheduled = 0
    const run = () => {
      scheduled = 0
      listener()
    }
    const unsubscribe = subscribe(() => {
      // A hidden page draws no frames, but screen readers and titles follow it still.
      if (document.hidden) listener()
      else if (scheduled === 0) scheduled = requestAnimationFrame(run)
    })
    return () => {
      if (scheduled !== 0) cancelAnimationFrame(scheduled)
      unsubscribe()
    }
  }

export const useChatState = (session: Session) => {
  const [subscribe] = useState(() => perFrame((listener) => session.subscribe(listener)))
  return useSyncExternalStore(subscribe, () => session.state)
}

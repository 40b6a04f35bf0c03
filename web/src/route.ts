/** Where the page is: in the address, so that a reload, a bookmark and a second tab find the same chat. */
import { useSyncExternalStore } from "react"

export type Route =
  | { readonly at: "start" }
  | { readonly at: "chat"; readonly flowId: string; readonly chatId: string }

const chatPath = /^#\/c\/([0-9a-f]{32})\/([A-Za-z0-9_.:-]{1,64})$/

const read = (hash: string): Route => {
  const [, flowId, chatId] = chatPath.exec(hash) ?? []
  return flowId === undefined || chatId === undefined ? { at: "start" } : { at: "chat", flowId, chatId }
}

export const hrefOf = (route: Route): string =>
  route.at === "start" ? "#/" : `#/c/${route.flowId}/${route.chatId}`

export const go = (route: Route): void => {
  window.location.hash = hrefOf(route)
}

/** A chat that has no messages yet: its id is made here, and the server hears of it with the first question. */
export const newChat = (flowId: string): Route => ({
  at: "chat",
  flowId: flowId.replaceAll("-", ""),
  chatId: makeId()
})

/** 32 random hex digits; `crypto.randomUUID` is missing on pages that are not served securely. */
const makeId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
    ""
  )

const subscribe = (listener: () => void) => {
  window.addEventListener("hashchange", listener)
  return () => window.removeEventListener("hashchange", listener)
}

export const useRoute = (): Route => {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash)
  return read(hash)
}

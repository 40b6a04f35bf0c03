/** The pages that are asked for, each at a random place, by the owner of what it shows. */
import { apps, began, chatIdOf, collector, ownerOf, seconds } from "./shape.mjs"

export const pageSize = 50

const below = (n) => Math.floor(Math.random() * n)

/** A moment after which half of everything lies before it: a page from there is full at every size. */
const inNewerHalf = () => new Date(began + (0.5 + Math.random() / 2) * seconds * 1000).toISOString()

const list = (query) => `/chat/list?limit=${pageSize}&${query}`

/** @typedef {{ user: number, path: string }} Page */

/** By name. @type {Record<string, (shape: import("./shape.mjs").Shape) => Page>} */
export const pages = {
  "history page, any chat": (shape) => {
    const chat = below(shape.chats)
    const before = 1 + below(shape.messages)
    return {
      user: ownerOf(shape, chat),
      path: `/chat/history?chat_id=${chatIdOf(chat)}&page_size=${pageSize}&id=${before}`
    }
  },
  "history page, longest chat": (shape) => {
    const before = Math.ceil(shape.messages * (0.1 + 0.9 * Math.random()))
    return {
      user: collector,
      path: `/chat/history?chat_id=${chatIdOf(0)}&page_size=${pageSize}&id=${before}`
    }
  },
  "session list": () => ({ user: collector, path: list(`before=${inNewerHalf()},f`) }),
  "session list of an app": () => ({
    user: collector,
    path: list(`before=${inNewerHalf()},f&flow_id=${apps[below(3)].id}`)
  }),
  "session list of a kind": () => ({
    user: collector,
    path: list(`before=${inNewerHalf()},f&flow_type=${apps[1 + below(2)].type}`)
  }),
  "session list by page number": ({ chats, everyCollected }) => ({
    user: collector,
    path: list(`page=${1 + below(Math.floor(chats / everyCollected / pageSize))}`)
  })
}

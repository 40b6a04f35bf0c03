import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { MessageSession } from "../rows.ts"
import { type ListedAt, Sessions } from "../Sessions.ts"
import { contains, type MemoryState } from "./state.ts"

/** Before 0: `a` is listed above `b`. */
const inOrder = (a: ListedAt, b: ListedAt): number =>
  b.updateTime.getTime() - a.updateTime.getTime() || (a.chatId > b.chatId ? -1 : a.chatId < b.chatId ? 1 : 0)

const placeOf = ({ update_time, chat_id }: MessageSession): ListedAt => ({
  updateTime: update_time,
  chatId: chat_id
})

export const makeSessions = (state: MemoryState) => {
  const kept = (chatId: string) => {
    const session = state.sessions.get(chatId)
    return session === undefined || session.deleted ? undefined : session
  }

  const shown = ({ deleted, ...session }: MessageSession & { readonly deleted: boolean }): MessageSession =>
    session

  const latest = (chatId: string) =>
    (state.chats.get(chatId) ?? [])
      .toReversed()
      .map((id) => state.messages.get(id))
      .find((message) => message?.category === "question" || message?.category === "answer")

  return Sessions.of({
    get: (chatId) => Effect.sync(() => Option.map(Option.fromNullable(kept(chatId)), shown)),

    list: ({ userId, flowType, flowId, keyword, from, limit }) =>
      Effect.sync(() => {
        const after = "skip" in from ? null : from.after
        const skip = "skip" in from ? from.skip : 0
        return [...state.sessions.values()]
          .filter(
            (session) =>
              !session.deleted &&
              session.user_id === userId &&
              (flowType === null || session.flow_type === flowType) &&
              (flowId === null || session.flow_id === flowId) &&
              (contains(session.name, keyword) || contains(session.flow_name, keyword)) &&
              (after === null || inOrder(after, placeOf(session)) < 0)
          )
          .toSorted((a, b) => inOrder(placeOf(a), placeOf(b)))
          .slice(skip, skip + limit)
          .map(shown)
      }),

    latestMessages: (chatIds) =>
      Effect.sync(() =>
        [...new Set(chatIds)]
          .filter((chatId) => kept(chatId) !== undefined)
          .flatMap((chatId) => latest(chatId) ?? [])
      ),

    remove: (chatId) =>
      Effect.sync(() => {
        const session = kept(chatId)
        if (session !== undefined) state.sessions.set(chatId, { ...session, deleted: true })
        return session !== undefined
      }),

    forget: (chatId) =>
      Effect.sync(() => {
        const session = state.sessions.get(chatId)
        const newest = state.chats.get(chatId)?.at(-1)
        if (session !== undefined && newest !== undefined) {
          state.sessions.set(chatId, { ...session, memory_floor: Math.max(session.memory_floor, newest) })
        }
      })
  })
}

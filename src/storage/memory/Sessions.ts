import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { MessageSession } from "../rows.ts"
import { Sessions } from "../Sessions.ts"
import { contains, type MemoryState, pageOf } from "./state.ts"

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

    list: ({ userId, flowType, flowId, keyword, page, limit }) =>
      Effect.sync(() => {
        const rows = [...state.sessions.values()]
          .filter(
            (session) =>
              !session.deleted &&
              session.user_id === userId &&
              (flowType === null || session.flow_type === flowType) &&
              (flowId === null || session.flow_id === flowId) &&
              (contains(session.name, keyword) || contains(session.flow_name, keyword))
          )
          .toSorted(
            (a, b) => b.update_time.getTime() - a.update_time.getTime() || (a.chat_id < b.chat_id ? -1 : 1)
          )
        return { rows: pageOf(rows, page, limit).map(shown), total: rows.length }
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

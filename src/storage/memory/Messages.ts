import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../Messages.ts"
import { breakAnswer, type ChatMessage, unseen } from "../rows.ts"
import type { MemoryState } from "./state.ts"

export const makeMessages = (state: MemoryState) => {
  const ofChat = (chatId: string): ReadonlyArray<ChatMessage> =>
    (state.chats.get(chatId) ?? []).flatMap((id) => state.messages.get(id) ?? [])

  return Messages.of({
    get: (id) => Effect.sync(() => Option.fromNullable(state.messages.get(id))),

    page: ({ chatId, before, limit }) =>
      Effect.sync(() =>
        ofChat(chatId)
          .filter(({ id, category }) => category !== unseen && (before === null || id < before))
          .toReversed()
          .slice(0, limit)
      ),

    latestFilling: (chatId, actions) =>
      Effect.sync(() => {
        const [latest] = state.runs
          .ofChat(chatId)
          .filter((run) => actions.includes(run.action))
          .toSorted((a, b) => b.question_id - a.question_id)
        const question = latest === undefined ? undefined : state.messages.get(latest.question_id)
        return Option.map(Option.fromNullable(question), ({ extra }) => extra)
      }),

    ofRun: (runId) =>
      Effect.sync(() =>
        ofChat(state.runs.get(runId)?.chat_id ?? "").filter((message) => message.run_id === runId)
      ),

    memory: (chatId, rounds) =>
      Effect.sync(() => {
        const floor = state.sessions.get(chatId)?.memory_floor ?? 0
        const complete = state.runs
          .ofChat(chatId)
          .filter((run) => run.status === "done" && run.question_id > floor)
          .toSorted((a, b) => b.question_id - a.question_id)
          .slice(0, rounds)
          .toReversed()
        const oldest = Math.min(...complete.map((run) => run.question_id))
        const messages = ofChat(chatId).filter(
          (message) => message.id >= oldest && message.remark !== breakAnswer
        )
        // Round by round: a question that waited in the queue was stored before the answer it waited for.
        return complete.flatMap((run) => messages.filter((message) => message.run_id === run.id))
      })
  })
}

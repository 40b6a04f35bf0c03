import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../Messages.ts"
import { breakAnswer, type ChatMessage, type Run, unseen } from "../rows.ts"
import type { MemoryState } from "./state.ts"

export const makeMessages = (state: MemoryState) => {
  const ofChat = (chatId: string): ReadonlyArray<ChatMessage> =>
    (state.chats.get(chatId) ?? []).flatMap((id) => state.messages.get(id) ?? [])

  /** From the message of that id on. */
  const since = (chatId: string, id: number): ReadonlyArray<ChatMessage> => {
    const ids = state.chats.get(chatId) ?? []
    return ids.slice(ids.lastIndexOf(id)).flatMap((id) => state.messages.get(id) ?? [])
  }

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
        const complete: Array<Run> = []
        for (const run of state.runs.latestOf(chatId)) {
          if (complete.length === rounds || run.question_id <= floor) break
          if (run.status === "done") complete.unshift(run)
        }
        const [oldest] = complete
        if (oldest === undefined) return []
        // Round by round: a question that waited in the queue was stored before the answer it waited for.
        const roundOf = new Map(complete.map((run, round) => [run.id, round]))
        const round = ({ run_id }: ChatMessage) => roundOf.get(run_id ?? "") ?? -1
        return since(chatId, oldest.question_id)
          .filter((message) => message.remark !== breakAnswer && round(message) >= 0)
          .toSorted((a, b) => round(a) - round(b))
      })
  })
}

/** A question with all that comes with it: session, audit, question and run. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { opened } from "../opened.ts"
import type { Acceptance, Accepted, RunStore } from "../Runs.ts"
import type { MessageSession, Run } from "../rows.ts"
import { ChatBusy, ChatFull, SessionTaken } from "../StorageError.ts"
import { insertMessage } from "./insertMessage.ts"
import { inOrder, unfinishedOf } from "./runQueue.ts"
import { at, type MemoryState } from "./state.ts"

export const findRun = (state: MemoryState, chatId: string, clientMsgId: string): Run | undefined =>
  state.runs.ofChat(chatId).find((run) => run.client_msg_id === clientMsgId)

export const touchSession = (state: MemoryState, chatId: string, now: Date): void => {
  const session = state.sessions.get(chatId)
  if (session !== undefined) state.sessions.set(chatId, { ...session, update_time: now })
}

const openedSession = (
  acceptance: Acceptance,
  now: Date
): MessageSession & { readonly deleted: boolean } => ({
  ...opened(acceptance),
  create_time: now,
  update_time: now,
  deleted: false
})

const accept = (
  state: MemoryState,
  acceptance: Acceptance,
  now: Date
): Either.Either<Accepted, SessionTaken | ChatBusy | ChatFull> => {
  const { session, clientMsgId, entry } = acceptance
  const { chatId } = session
  const known = state.sessions.get(chatId)
  if (
    known !== undefined &&
    (known.user_id !== session.userId || known.flow_id !== session.flowId || known.deleted)
  ) {
    return Either.left(new SessionTaken({ chatId }))
  }
  const before = clientMsgId === null ? undefined : findRun(state, chatId, clientMsgId)
  if (before !== undefined) return Either.right({ run: before, fresh: false, ahead: [] })
  const unfinished = unfinishedOf(state, chatId)
  const queued = unfinished.filter(({ status }) => status === "queued")
  if (entry.onBusy === "reject" && unfinished.length > 0) return Either.left(new ChatBusy({ chatId }))
  if (entry.onBusy !== "reject" && queued.length >= entry.maxQueued) {
    return Either.left(new ChatFull({ limit: entry.maxQueued }))
  }
  const startsNow = entry.startNow && unfinished.length === 0
  const front = entry.onBusy === "front"
  if (known === undefined) {
    state.sessions.set(chatId, openedSession(acceptance, now))
    const id = state.audit.length + 1
    const { userId, ip } = session
    state.audit.push({ id, userId, action: "chat.create", objectId: chatId, ip, create_time: now })
  } else touchSession(state, chatId, now)
  const author = { id: acceptance.runId, chat_id: chatId, flow_id: session.flowId, user_id: session.userId }
  // Every field by its name, as in `insertMessage`.
  const run: Run = {
    id: author.id,
    chat_id: chatId,
    flow_id: author.flow_id,
    user_id: author.user_id,
    action: acceptance.action,
    status: startsNow ? "running" : "queued",
    payload: acceptance.payload,
    queue_rank: front ? Math.min(0, ...queued.map(({ queue_rank }) => queue_rank)) - 1 : 0,
    owner: acceptance.owner,
    client_msg_id: clientMsgId,
    question_id: insertMessage(state, author, acceptance.question, now),
    partial_text: "",
    partial_reasoning: "",
    error: "",
    prompt_tokens: 0,
    completion_tokens: 0,
    create_time: now,
    start_time: startsNow ? now : null,
    end_time: null
  }
  state.runs.set(run)
  return Either.right({ run, fresh: true, ahead: unfinished.filter((other) => inOrder(other, run) < 0) })
}

export const makeAccept =
  (state: MemoryState): RunStore["accept"] =>
  (acceptance) =>
    Effect.flatten(at((now) => accept(state, acceptance, now)))

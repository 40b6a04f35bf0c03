import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { type Acceptance, type Accepted, Runs } from "../Runs.ts"
import type { ChatMessage, MessageSession, NewMessage, Run, WaitingRun } from "../rows.ts"
import { ChatBusy, ChatFull, SessionTaken } from "../StorageError.ts"
import { at, type MemoryState } from "./state.ts"

const hasEnded = (run: Run): boolean =>
  run.status !== "queued" && run.status !== "running" && run.status !== "waiting_input"

const inOrder = (a: Run, b: Run): number =>
  Number(b.status === "running") - Number(a.status === "running") ||
  a.queue_rank - b.queue_rank ||
  a.question_id - b.question_id

type Author = Pick<Run, "id" | "flow_id" | "chat_id" | "user_id">

export const makeRuns = (state: MemoryState) => {
  const insert = (author: Author, message: NewMessage, now: Date): number => {
    const { passages, ...said } = message
    const row: ChatMessage = {
      id: state.next("message"),
      source: 0,
      intermediate_steps: "",
      files: "",
      extra: "",
      remark: "",
      sender: "",
      receiver: "",
      ...said,
      flow_id: author.flow_id,
      chat_id: author.chat_id,
      user_id: author.user_id,
      run_id: author.id,
      liked: 0,
      solved: 0,
      copied: 0,
      sensitive_status: 0,
      create_time: now,
      update_time: now
    }
    state.messages.set(row.id, row)
    const chat = state.chats.get(row.chat_id)
    if (chat === undefined) state.chats.set(row.chat_id, [row.id])
    else chat.push(row.id)
    if (passages !== undefined && passages.length > 0) state.passages.set(row.id, passages)
    return row.id
  }

  const find = (chatId: string, clientMsgId: string): Run | undefined =>
    [...state.runs.values()].find((run) => run.chat_id === chatId && run.client_msg_id === clientMsgId)

  const unended = (runId: string): Run | undefined => {
    const run = state.runs.get(runId)
    return run === undefined || hasEnded(run) ? undefined : run
  }

  const touch = (chatId: string, now: Date) => {
    const session = state.sessions.get(chatId)
    if (session !== undefined) state.sessions.set(chatId, { ...session, update_time: now })
  }

  const openedSession = (
    { session }: Acceptance,
    now: Date
  ): MessageSession & { readonly deleted: boolean } => ({
    chat_id: session.chatId,
    flow_id: session.flowId,
    flow_type: session.flowType,
    flow_name: session.flowName,
    name: session.name,
    user_id: session.userId,
    like: 0,
    dislike: 0,
    copied: 0,
    sensitive_status: 0,
    memory_floor: 0,
    create_time: now,
    update_time: now,
    deleted: false
  })

  /** What runs, then what waits in its order. */
  const unfinishedOf = (chatId: string): ReadonlyArray<Run> =>
    [...state.runs.values()]
      .filter((run) => run.chat_id === chatId && (run.status === "queued" || run.status === "running"))
      .toSorted(inOrder)

  const accept = (
    acceptance: Acceptance,
    now: Date
  ): Either.Either<Accepted, SessionTaken | ChatBusy | ChatFull> => {
    const { session, clientMsgId, entry } = acceptance
    const { chatId } = session
    const opened = state.sessions.get(chatId)
    if (
      opened !== undefined &&
      (opened.user_id !== session.userId || opened.flow_id !== session.flowId || opened.deleted)
    ) {
      return Either.left(new SessionTaken({ chatId }))
    }
    const before = clientMsgId === null ? undefined : find(chatId, clientMsgId)
    if (before !== undefined) return Either.right({ run: before, fresh: false, ahead: [] })
    const unfinished = unfinishedOf(chatId)
    const queued = unfinished.filter(({ status }) => status === "queued")
    if (entry.onBusy === "reject" && unfinished.length > 0) return Either.left(new ChatBusy({ chatId }))
    if (entry.onBusy !== "reject" && queued.length >= entry.maxQueued) {
      return Either.left(new ChatFull({ limit: entry.maxQueued }))
    }
    const startsNow = entry.startNow && unfinished.length === 0
    const front = entry.onBusy === "front"
    if (opened === undefined) {
      state.sessions.set(chatId, openedSession(acceptance, now))
      const id = state.audit.length + 1
      const { userId, ip } = session
      state.audit.push({ id, userId, action: "chat.create", objectId: chatId, ip, create_time: now })
    } else touch(chatId, now)
    const author = { id: acceptance.runId, chat_id: chatId, flow_id: session.flowId, user_id: session.userId }
    const run: Run = {
      ...author,
      action: acceptance.action,
      status: startsNow ? "running" : "queued",
      payload: acceptance.payload,
      queue_rank: front ? Math.min(0, ...queued.map(({ queue_rank }) => queue_rank)) - 1 : 0,
      owner: acceptance.owner,
      client_msg_id: clientMsgId,
      question_id: insert(author, acceptance.question, now),
      partial_text: "",
      partial_reasoning: "",
      error: "",
      prompt_tokens: 0,
      completion_tokens: 0,
      create_time: now,
      start_time: startsNow ? now : null,
      end_time: null
    }
    state.runs.set(run.id, run)
    return Either.right({ run, fresh: true, ahead: unfinished.filter((other) => inOrder(other, run) < 0) })
  }

  const waits = (): ReadonlyArray<WaitingRun> =>
    [...state.waits].flatMap(([runId, wait]) => {
      const run = state.runs.get(runId)
      return run === undefined ? [] : [{ run, ...wait }]
    })

  return Runs.of({
    accept: (acceptance) => Effect.flatten(at((now) => accept(acceptance, now))),

    dequeue: (chatId, owner) =>
      at((now) => {
        const [first] = unfinishedOf(chatId)
        if (first === undefined || first.status === "running") return Option.none()
        const run: Run = { ...first, status: "running", owner, start_time: now }
        state.runs.set(run.id, run)
        return Option.some(run)
      }),

    queue: (chatId) => Effect.sync(() => unfinishedOf(chatId)),

    cancel: (chatId, runId) =>
      at((now) =>
        unfinishedOf(chatId)
          .filter((run) => run.status === "queued" && (runId === null || run.id === runId))
          .map((run) => {
            const cancelled: Run = { ...run, status: "stopped", end_time: now }
            state.runs.set(run.id, cancelled)
            return cancelled
          })
      ),

    amend: (runId, { message, payload }) =>
      at((now) => {
        const run = state.runs.get(runId)
        const question = run === undefined ? undefined : state.messages.get(run.question_id)
        if (run?.status !== "queued" || question === undefined) return false
        state.runs.set(runId, { ...run, payload })
        state.messages.set(question.id, { ...question, message, update_time: now })
        return true
      }),

    record: (runId, messages) =>
      at((now) => {
        const run = unended(runId)
        return run === undefined ? [] : messages.map((message) => insert(run, message, now))
      }),

    settle: (runId, messages) =>
      at((now) => {
        const run = unended(runId)
        if (run === undefined) return []
        state.runs.set(runId, { ...run, partial_text: "", partial_reasoning: "" })
        return messages.map((message) => insert(run, message, now))
      }),

    park: (runId, wait) =>
      Effect.sync(() => {
        const run = unended(runId)
        if (run === undefined) return
        state.runs.set(runId, {
          ...run,
          status: "waiting_input",
          partial_text: "",
          partial_reasoning: ""
        })
        state.waits.set(runId, wait)
      }),

    resume: (runId, reply, owner) =>
      at((now) => {
        const run = state.runs.get(runId)
        if (run?.status !== "waiting_input") return Option.none()
        state.runs.set(runId, { ...run, status: "running", owner })
        state.waits.delete(runId)
        touch(run.chat_id, now)
        return Option.some(insert(run, reply, now))
      }),

    waiting: (chatId) =>
      Effect.sync(() => Option.fromNullable(waits().find(({ run }) => run.chat_id === chatId))),

    overdue: (limit) =>
      at((now) =>
        waits()
          .filter(({ until }) => until <= now)
          .toSorted((a, b) => a.until.getTime() - b.until.getTime())
          .slice(0, limit)
      ),

    reopen: (runId, owner) =>
      Effect.sync(() => {
        const run = state.runs.get(runId)
        if (run === undefined || !["stopped", "failed", "lost"].includes(run.status)) return false
        state.runs.set(runId, { ...run, status: "queued", owner, error: "", end_time: null })
        return true
      }),

    checkpoint: (parts) =>
      Effect.sync(() => {
        for (const { runId, text, reasoning, replaces = false } of parts) {
          const run = unended(runId)
          if (run === undefined) continue
          state.runs.set(runId, {
            ...run,
            partial_text: (replaces ? "" : run.partial_text) + text,
            partial_reasoning: (replaces ? "" : run.partial_reasoning) + reasoning
          })
        }
      }),

    finish: (runId, ending) =>
      at((now) => {
        const run = unended(runId)
        if (run === undefined) return []
        state.runs.set(runId, {
          ...run,
          status: ending.status,
          error: ending.error,
          prompt_tokens: ending.promptTokens,
          completion_tokens: ending.completionTokens,
          partial_text: "",
          partial_reasoning: "",
          end_time: now
        })
        state.waits.delete(runId)
        touch(run.chat_id, now)
        return ending.messages.map((message) => insert(run, message, now))
      }),

    rollback: (runId) =>
      at((now) => {
        const run = state.runs.get(runId)
        if (run === undefined) return
        const kept: Array<number> = []
        for (const id of state.chats.get(run.chat_id) ?? []) {
          if (state.messages.get(id)?.run_id !== runId) kept.push(id)
          else {
            state.messages.delete(id)
            state.passages.delete(id)
          }
        }
        state.chats.set(run.chat_id, kept)
        state.waits.delete(runId)
        state.runs.set(runId, {
          ...run,
          status: "stopped",
          partial_text: "",
          partial_reasoning: "",
          end_time: run.end_time ?? now
        })
      }),

    get: (runId) => Effect.sync(() => Option.fromNullable(state.runs.get(runId))),

    find: (chatId, clientMsgId) => Effect.sync(() => Option.fromNullable(find(chatId, clientMsgId))),

    ofChat: (chatId, limit) =>
      Effect.sync(() =>
        [...state.runs.values()]
          .filter((run) => run.chat_id === chatId)
          .toSorted((a, b) => b.question_id - a.question_id)
          .slice(0, limit)
      ),

    owners: Effect.sync(() => [
      ...new Set(
        [...state.runs.values()]
          .filter(({ status }) => status === "queued" || status === "running")
          .map(({ owner }) => owner)
      )
    ]),

    unfinished: (owner) =>
      Effect.sync(() =>
        [...state.runs.values()]
          .filter((run) => run.owner === owner && (run.status === "queued" || run.status === "running"))
          .toSorted((a, b) => a.question_id - b.question_id)
      )
  })
}

import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Runs } from "../Runs.ts"
import type { NewMessage, Run, WaitingRun } from "../rows.ts"
import { findRun, makeAccept, touchSession } from "./accept.ts"
import { insertMessage } from "./insertMessage.ts"
import { makeRunQueue } from "./runQueue.ts"
import { at, type MemoryState } from "./state.ts"

const hasEnded = (run: Run): boolean =>
  run.status !== "queued" && run.status !== "running" && run.status !== "waiting_input"

export const makeRuns = (state: MemoryState) => {
  const unended = (runId: string): Run | undefined => {
    const run = state.runs.get(runId)
    return run === undefined || hasEnded(run) ? undefined : run
  }

  const waits = (): ReadonlyArray<WaitingRun> =>
    [...state.waits].flatMap(([runId, wait]) => {
      const run = state.runs.get(runId)
      return run === undefined ? [] : [{ run, ...wait }]
    })

  const insert = (run: Run, message: NewMessage, now: Date) => insertMessage(state, run, message, now)

  return Runs.of({
    accept: makeAccept(state),
    ...makeRunQueue(state),

    untold: (limit) =>
      Effect.sync(() =>
        [...state.untold]
          .flatMap((id) => {
            const run = state.runs.get(id)
            return run === undefined || !hasEnded(run) ? [] : [run]
          })
          .slice(0, limit)
      ),

    told: (runIds) =>
      Effect.sync(() => {
        for (const id of runIds) state.untold.delete(id)
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
        state.runs.set({ ...run, partial_text: "", partial_reasoning: "" })
        return messages.map((message) => insert(run, message, now))
      }),

    park: (runId, wait) =>
      Effect.sync(() => {
        const run = unended(runId)
        if (run === undefined) return
        state.runs.set({
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
        state.runs.set({ ...run, status: "running", owner })
        state.waits.delete(runId)
        touchSession(state, run.chat_id, now)
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
        state.runs.set({ ...run, status: "queued", owner, error: "", end_time: null })
        return true
      }),

    checkpoint: (parts) =>
      Effect.sync(() => {
        for (const { runId, text, reasoning, replaces = false } of parts) {
          const run = unended(runId)
          if (run === undefined) continue
          state.runs.set({
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
        state.runs.set({
          ...run,
          status: ending.status,
          error: ending.error,
          prompt_tokens: ending.promptTokens,
          completion_tokens: ending.completionTokens,
          partial_text: "",
          partial_reasoning: "",
          end_time: now
        })
        if (run.status === "waiting_input") state.untold.add(runId)
        state.waits.delete(runId)
        touchSession(state, run.chat_id, now)
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
        state.runs.set({
          ...run,
          status: "stopped",
          partial_text: "",
          partial_reasoning: "",
          end_time: run.end_time ?? now
        })
      }),

    get: (runId) => Effect.sync(() => Option.fromNullable(state.runs.get(runId))),

    find: (chatId, clientMsgId) =>
      Effect.sync(() => Option.fromNullable(findRun(state, chatId, clientMsgId))),

    ofChat: (chatId, limit) =>
      Effect.sync(() =>
        state.runs
          .ofChat(chatId)
          .toSorted((a, b) => b.question_id - a.question_id)
          .slice(0, limit)
      ),

    owners: Effect.sync(() => [...new Set(state.runs.open().map(({ owner }) => owner))]),

    unfinished: (owner) =>
      Effect.sync(() =>
        state.runs
          .open()
          .filter((run) => run.owner === owner)
          .toSorted((a, b) => a.question_id - b.question_id)
      )
  })
}

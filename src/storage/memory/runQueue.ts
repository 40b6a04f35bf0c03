/** The questions of a chat that wait for their turn. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RunStore } from "../Runs.ts"
import type { Run } from "../rows.ts"
import { at, type MemoryState } from "./state.ts"

export const inOrder = (a: Run, b: Run): number =>
  Number(b.status === "running") - Number(a.status === "running") ||
  a.queue_rank - b.queue_rank ||
  a.question_id - b.question_id

/** What runs, then what waits in its order. */
export const unfinishedOf = (state: MemoryState, chatId: string): ReadonlyArray<Run> =>
  state.runs.openOf(chatId).toSorted(inOrder)

export const makeRunQueue = (
  state: MemoryState
): Pick<RunStore, "dequeue" | "waits" | "queue" | "cancel" | "amend"> => {
  const start = (queued: Run, owner: string, now: Date): Run => {
    const run: Run = { ...queued, status: "running", owner, start_time: now }
    state.runs.set(run)
    return run
  }

  return {
    dequeue: (chatId, owner) =>
      at((now) => {
        const [first] = unfinishedOf(state, chatId)
        if (first === undefined || first.status === "running") return Option.none()
        return Option.some(start(first, owner, now))
      }),

    waits: (chatId) => Effect.sync(() => unfinishedOf(state, chatId)[0]?.status === "queued"),

    queue: (chatId) => Effect.sync(() => unfinishedOf(state, chatId)),

    cancel: (chatId, runId, owner) =>
      at((now) =>
        unfinishedOf(state, chatId)
          .filter((run) => run.status === "queued" && (runId === null || run.id === runId))
          .map((run) => {
            const cancelled: Run = { ...run, status: "stopped", owner, end_time: now }
            state.runs.set(cancelled)
            state.untold.add(run.id)
            return cancelled
          })
      ),

    amend: (runId, { message, payload }) =>
      at((now) => {
        const run = state.runs.get(runId)
        const question = run === undefined ? undefined : state.messages.get(run.question_id)
        if (run?.status !== "queued" || question === undefined) return false
        state.runs.set({ ...run, payload })
        state.messages.set(question.id, { ...question, message, update_time: now })
        return true
      })
  }
}

/** Runs as clients see them: with the text of their question and their place in the queue. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../storage/Messages.ts"
import type { Run } from "../storage/rows.ts"
import type * as views from "./views.ts"

/** Question rows that are looked up at the same time. */
const atOnce = 8

type Positions = ReadonlyMap<string, number>

/** Which turn it is of each queued one of these: in each chat 1, 2, 3 … in the queue's order. */
export const positionsIn = (runs: ReadonlyArray<Run>): Positions => {
  const positions = new Map<string, number>()
  const waiting = new Map<string, number>()
  const queued = runs
    .filter(({ status }) => status === "queued")
    .toSorted((a, b) => a.queue_rank - b.queue_rank || a.question_id - b.question_id)
  for (const { id, chat_id } of queued) {
    const turn = (waiting.get(chat_id) ?? 0) + 1
    waiting.set(chat_id, turn)
    positions.set(id, turn)
  }
  return positions
}

/** A node that shares its sessions adds a word to its name for each of its lives. */
const nodeOf = (owner: string): string => owner.replace(/\/[0-9a-f]{8}$/, "")

const view = (run: Run, question: string, positions: Positions): typeof views.Run.Type => ({
  run_id: run.id,
  chat_id: run.chat_id,
  flow_id: run.flow_id,
  status: run.status,
  action: run.action,
  client_msg_id: run.client_msg_id,
  question,
  position: positions.get(run.id) ?? null,
  owner: nodeOf(run.owner),
  create_time: run.create_time,
  start_time: run.start_time,
  end_time: run.end_time,
  prompt_tokens: run.prompt_tokens,
  completion_tokens: run.completion_tokens,
  error: run.error
})

export const makeRunViews = Effect.map(Messages, (messages) => {
  const questionOf = (run: Run) =>
    Effect.map(
      messages.get(run.question_id),
      // None where the run was rolled back.
      Option.match({ onNone: () => "", onSome: ({ message }) => message })
    )

  return (runs: ReadonlyArray<Run>, positions: Positions) =>
    Effect.forEach(runs, (run) => Effect.map(questionOf(run), (text) => view(run, text, positions)), {
      concurrency: atOnce
    })
})

/** The end of a run as it is stored, told to those who saw it begin, or who wait for one that nobody told. */
import { RunFailed, RunLost, tell } from "../protocol/errors.ts"
import type { Frame } from "../protocol/frames.ts"
import type { Projection } from "../protocol/projection.ts"
import { noUsage } from "../protocol/RunEvent.ts"
import type { DeltaKind } from "../protocol/streaming.ts"
import { breakAnswer, type ChatMessage } from "../storage/rows.ts"
import type { Streamed } from "./drafts.ts"
import type { KnownRun } from "./Journal.ts"

export interface Retelling {
  readonly run: KnownRun
  readonly rows: ReadonlyArray<ChatMessage>
  readonly kind: RunFailed["kind"]
  readonly frames: Projection
  /** What was streamed of it. */
  readonly streamed: Streamed
}

/** What is stored may go on where the streaming broke off: what is still to be streamed, then. */
export const restOf = ({ rows, streamed: { text, reasoning } }: Retelling) => {
  const rest = (kind: DeltaKind, category: string, said: string) => {
    const whole = rows.findLast((row) => row.category === category)?.message ?? ""
    return said === "" || !whole.startsWith(said) ? [] : [{ kind, text: whole.slice(said.length) }]
  }
  return [...rest("reasoning_content", "reasoning_answer", reasoning), ...rest("content", "answer", text)]
}

/** The frames of its end, without the `close`. */
export const framesOf = ({ run, rows, kind, frames }: Retelling): ReadonlyArray<Frame> => [
  ...(run.status === "done" ? [frames.processingEnded("")] : []),
  ...rows.flatMap((row) => answerFrames(row, frames)),
  ...endFrames(run, kind, frames)
]

const answerFrames = (row: ChatMessage, frames: Projection): ReadonlyArray<Frame> => {
  if (row.category !== "answer" && row.category !== "reasoning_answer") return []
  if (row.remark === breakAnswer || row.category === "reasoning_answer") {
    return [frames.broken(row.category, row.message, row.id)]
  }
  const answer = {
    _tag: "Answered" as const,
    text: row.message,
    source: row.source,
    passages: [],
    usage: noUsage
  }
  return frames.answer(answer, true, row.id)
}

const endFrames = (
  { status, error }: KnownRun,
  kind: RunFailed["kind"],
  frames: Projection
): ReadonlyArray<Frame> => {
  switch (status) {
    case "failed":
      return [frames.failed(tell(new RunFailed({ reason: error, kind })))]
    case "lost":
      return [frames.failed(tell(new RunLost()))]
    case "stopped":
      return [frames.stopped()]
    default:
      return []
  }
}

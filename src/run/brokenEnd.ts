/** The end of a run that was cut short: what was streamed is kept as broken answers, what is open is closed. */
import { type ProtocolError, tell } from "../protocol/errors.ts"
import type { Frame } from "../protocol/frames.ts"
import type { Projection } from "../protocol/projection.ts"
import type { ToolStarted } from "../protocol/RunEvent.ts"
import type { NewMessage } from "../storage/rows.ts"
import type { Drafts } from "./drafts.ts"
import { toolRow } from "./memory.ts"

export interface BrokenEnd {
  readonly rows: ReadonlyArray<NewMessage>
  /** As the run's record has it. */
  readonly reason: string
  /** In order, without the `close`; `ids` are those of the rows. */
  readonly frames: (ids: ReadonlyArray<number | null>) => ReadonlyArray<Frame>
}

export interface Broken {
  /** null: it was stopped. */
  readonly error: ProtocolError | null
  readonly openTools: Iterable<ToolStarted>
  readonly drafts: Drafts
  readonly frames: Projection
}

export const brokenEnd = ({ error, openTools, drafts, frames }: Broken): BrokenEnd => {
  const output = error === null ? "Stopped" : "Failed"
  const tools = Array.from(openTools, (started) => {
    const ended = { _tag: "ToolEnded" as const, id: started.id, output, failed: true }
    return {
      row: toolRow(started, ended),
      frame: (id: number | null) => frames.toolEnded(started, ended, id)
    }
  })
  const parts = [...tools, ...drafts.unsettled(frames)]
  const told = error === null ? null : tell(error)
  return {
    rows: parts.map(({ row }) => row),
    reason: told === null ? "" : String(told.data["exception"] ?? told.status_message),
    frames: (ids) => [
      ...parts.map(({ frame }, i) => frame(ids[i] ?? null)),
      told === null ? frames.stopped() : frames.failed(told)
    ]
  }
}

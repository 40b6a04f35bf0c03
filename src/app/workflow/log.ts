/** The end of a node's run as the editor shows it: what went in, what came out, and what was not there. */
import type { Json } from "../../protocol/frames.ts"
import type { NodeEnded, NodeRun } from "../../protocol/RunEvent.ts"
import type { LogEntry, NodeResult } from "./NodeType.ts"
import type { Reading } from "./variables.ts"

/** Of a longer value, the beginning. */
const maxChars = 20_000

export const nodeEnded = (
  run: NodeRun,
  reading: Reading,
  { log, outputs }: NodeResult,
  reason: string | null
): NodeEnded => {
  const lines = log.length > 0 || reason !== null ? log : [written(run.nodeId, outputs)]
  const missing = [...reading.missing].map(
    (reference): LogEntry => ({ key: reference, value: "this variable has no value", type: "params" })
  )
  return {
    _tag: "NodeEnded",
    ...run,
    reason,
    logData: [...lines, ...(missing.length > 0 ? [missing] : [])].map((entries) =>
      entries.map(({ key, value, type }) => ({ key, value: bounded(value), type }))
    ),
    inputData: Object.fromEntries([...reading.inputs].map(([key, value]) => [key, bounded(value)]))
  }
}

const written = (nodeId: string, outputs: NodeResult["outputs"]): ReadonlyArray<LogEntry> =>
  Object.entries(outputs).map(([key, value]) => ({ key: `${nodeId}.${key}`, value, type: "variable" }))

const bounded = (value: Json): Json => {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return text.length <= maxChars ? value : `${text.slice(0, maxChars)}…`
}

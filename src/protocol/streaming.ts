/**
 * What a stream of text belongs to on the wire: the run's own bubble, or that of one of a workflow's nodes.
 * The frames of one bubble differ in their text alone, so the rest of them is serialised once.
 */
import { type Address, frame, type Json } from "./frames.ts"
import type { NodeRun } from "./RunEvent.ts"

export type DeltaKind = "content" | "reasoning_content"

/** What stands before and after the quoted text; the closing brace is left to the writer. */
export type Around = readonly [head: string, tail: string]

export interface StreamBubble {
  readonly content: Around
  readonly reasoning_content: Around
}

export const runBubble = (address: Address, runId: string): StreamBubble => ({
  content: around(address, runId, "processing", (text) => ({ content: text, reasoning_content: "" })),
  reasoning_content: around(address, runId, "processing", (text) => ({
    content: "",
    reasoning_content: text
  }))
})

export const nodeBubble = (
  address: Address,
  runId: string,
  run: NodeRun,
  outputKey: string
): StreamBubble => ({
  content: around(address, runId, "stream_msg", (text) => nodeMessage(run, outputKey, text, "")),
  reasoning_content: around(address, runId, "stream_msg", (text) => nodeMessage(run, outputKey, "", text))
})

/** `message` of `stream_msg` frames. */
export const nodeMessage = (run: NodeRun, outputKey: string, msg: string, reasoning: string) => ({
  unique_id: run.uniqueId,
  node_id: run.nodeId,
  name: run.name,
  msg,
  reasoning_content: reasoning,
  output_key: outputKey
})

const hole = "\u0000"

const around = (
  address: Address,
  runId: string,
  category: "processing" | "stream_msg",
  message: (text: string) => Json
): Around => {
  const whole = JSON.stringify(frame(address, "stream", category, { message: message(hole), run_id: runId }))
  const quoted = JSON.stringify(hole)
  const at = whole.indexOf(quoted)
  return [whole.slice(0, at), whole.slice(at + quoted.length, -1)]
}

/** A conversation's messages as a page shows them, whether they came live or from the history. */
import type { ToolCategory } from "../protocol/frames.ts"
import type { ChatError } from "./events.ts"

export interface UserMessage {
  readonly role: "user"
  /** Stays the same from sending to history. */
  readonly id: string
  readonly messageId: number | null
  readonly clientMsgId: string | null
  readonly runId: string | null
  readonly text: string
  readonly delivery: "sending" | "queued" | "sent" | "failed"
  readonly error: ChatError | null
  readonly createdAt: number | null
}

export interface ToolUse {
  readonly id: string
  readonly kind: ToolCategory
  readonly name: string
  /** The arguments as the model wrote them. */
  readonly input: string
  /** null while it runs. */
  readonly output: string | null
  readonly failed: boolean
}

export interface AssistantMessage {
  readonly role: "assistant"
  readonly id: string
  readonly messageId: number | null
  readonly runId: string | null
  readonly text: string
  readonly reasoning: string
  readonly steps: ReadonlyArray<string>
  readonly tools: ReadonlyArray<ToolUse>
  readonly status: "running" | "done" | "stopped" | "failed"
  readonly error: ChatError | null
  readonly source: number
  readonly createdAt: number | null
}

export type Message = UserMessage | AssistantMessage

export const emptyAnswer = (runId: string): AssistantMessage => ({
  role: "assistant",
  id: `a:${runId}`,
  messageId: null,
  runId,
  text: "",
  reasoning: "",
  steps: [],
  tools: [],
  status: "running",
  error: null,
  source: 0,
  createdAt: null
})

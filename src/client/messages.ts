/** A conversation's messages as a page shows them, whether they came live or from the history. */
import type { ToolCategory } from "../protocol/frames.ts"
import type { ChatError } from "./events.ts"
import type { Prompt } from "./prompts.ts"

/** cancelled: taken out of the queue before its turn. */
export type Delivery = "sending" | "queued" | "cancelled" | "sent" | "failed"

export interface UserMessage {
  readonly role: "user"
  /** Stays the same from sending to history. */
  readonly id: string
  readonly messageId: number | null
  readonly clientMsgId: string | null
  readonly runId: string | null
  /** Empty where nothing was said: a workflow that was started. */
  readonly text: string
  readonly delivery: Delivery
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

/** How a text came about. */
export interface Work {
  readonly reasoning: string
  readonly steps: ReadonlyArray<string>
  readonly tools: ReadonlyArray<ToolUse>
}

/** A page that an answer rests on. */
export interface SourceLink {
  readonly title: string
  readonly url: string
}

/** A file to be downloaded. */
export interface FileLink {
  readonly name: string
  readonly url: string
}

/** What an answer rests on. `source`: 0 nothing named · 1 documents · 2 documents one may not see · 3 links · 4 a question-answer pair. */
export interface Grounds {
  readonly source: number
  readonly links: ReadonlyArray<SourceLink>
  /** Of a question-answer pair: the stored question, in words for people. */
  readonly pair: string
}

interface PartOf {
  readonly id: string
  /** Of the stored message; null while it is written, or where it is not kept. */
  readonly messageId: number | null
}

/** What one participant of a group chat said, or one node of a workflow. */
export interface SaidPart extends PartOf, Grounds {
  readonly kind: "said"
  readonly speaker: string
  /** Whom it was said to; null: everyone. */
  readonly to: { readonly name: string; readonly isSelf: boolean } | null
  /** The stream of a workflow's node that it comes from. */
  readonly stream: string | null
  readonly text: string
  readonly files: ReadonlyArray<FileLink>
  readonly status: "running" | "done" | "stopped"
  readonly work: Work
}

/** One of a run's many questions, with its answer. */
export interface RowPart extends PartOf, Grounds {
  readonly kind: "row"
  /** Counts from 0. */
  readonly row: number
  readonly question: string
  /** The answer, or why there is none. */
  readonly text: string
  readonly status: "running" | "done" | "failed" | "stopped"
  readonly work: Work
}

/** What the person replied in the middle of a run. */
export interface ReplyPart extends PartOf {
  readonly kind: "reply"
  readonly clientMsgId: string | null
  readonly text: string
  readonly delivery: Delivery
  readonly error: ChatError | null
  readonly createdAt: number | null
}

/** What a run asked the person. It can be answered while `ChatState.prompts` holds it. */
export interface PromptPart extends PartOf {
  readonly kind: "prompt"
  readonly prompt: Prompt
}

export interface FilePart extends PartOf, FileLink {
  readonly kind: "file"
  /** The template's variables that nothing filled. */
  readonly unfilled: ReadonlyArray<string>
}

/**
 * notice: one line on what goes on · divider: a line across the conversation · gathered: all answers in one,
 * as Markdown · guide: how a workflow greets.
 */
export interface LinePart extends PartOf {
  readonly kind: "notice" | "divider" | "gathered" | "guide"
  readonly text: string
}

/** Questions to begin with. */
export interface StartersPart extends PartOf {
  readonly kind: "starters"
  readonly questions: ReadonlyArray<string>
}

export type Part = SaidPart | RowPart | ReplyPart | PromptPart | FilePart | LinePart | StartersPart

/** One execution of a workflow's node. */
export interface NodeTrace {
  readonly uniqueId: string
  readonly nodeId: string
  readonly name: string
  readonly status: "running" | "done" | "failed" | "stopped"
  /** Why it failed. */
  readonly reason: string
  /** What went in and came out, as the server tells it. */
  readonly log: unknown
  readonly startedAt: number
  readonly endedAt: number | null
}

/** How far a run of many questions is. */
export interface Progress {
  readonly done: number
  readonly total: number
}

export interface AssistantMessage extends Work, Grounds {
  readonly role: "assistant"
  readonly id: string
  readonly messageId: number | null
  readonly runId: string | null
  /** The answer, or what is being written after the last of `parts`. */
  readonly text: string
  /** What a run of several told on its way, in its order: utterances, rows, replies, files. */
  readonly parts: ReadonlyArray<Part>
  /** A workflow's nodes as they ran; not kept in the history. */
  readonly nodes: ReadonlyArray<NodeTrace>
  /** Of a run of many questions. */
  readonly progress: Progress | null
  /** Who is writing, where several speak. */
  readonly speaker: string | null
  /** lost: the server that ran it is gone; what it had written until then is here. */
  readonly status: "running" | "done" | "stopped" | "failed" | "lost"
  readonly error: ChatError | null
  readonly createdAt: number | null
}

export type Message = UserMessage | AssistantMessage

export const noWork: Work = { reasoning: "", steps: [], tools: [] }

export const emptyAnswer = (runId: string): AssistantMessage => ({
  role: "assistant",
  id: `a:${runId}`,
  messageId: null,
  runId,
  text: "",
  ...noWork,
  parts: [],
  nodes: [],
  progress: null,
  speaker: null,
  status: "running",
  error: null,
  source: 0,
  links: [],
  pair: "",
  createdAt: null
})

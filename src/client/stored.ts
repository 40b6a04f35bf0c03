/** Stored messages as a page shows them, and how they meet what is happening now. */
import type { ToolCategory } from "../protocol/frames.ts"
import { groundsOf } from "./grounds.ts"
import type { HistoryPage, StoredMessage } from "./history.ts"
import { parseFields, textOf } from "./json.ts"
import { type AssistantMessage, emptyAnswer, type Message, type UserMessage } from "./messages.ts"
import { mergeParts } from "./parts.ts"
import type { ChatState } from "./state.ts"
import { withStoredPart } from "./storedParts.ts"

/** The state with a page of stored messages in it. */
export const withHistory = (state: ChatState, page: HistoryPage): ChatState => {
  const known = new Set(state.stored.map(({ id }) => id))
  const joins = page.older || page.messages.some(({ id }) => known.has(id))
  // A newest page that meets nothing we have leaves a hole: what is older is asked for again.
  const kept = joins ? state.stored : []
  const byId = new Map([...kept, ...page.messages].map((message) => [message.id, message]))
  const stored = [...byId.values()].sort((a, b) => a.id - b.id)
  const before = page.older || !joins ? page.before : state.before
  const rows = fromStored(stored).map((message): Message => {
    if (message.role === "user") return message
    // The run in progress: its history has its beginning.
    if (message.runId !== null && message.runId === state.runId) return { ...message, status: "running" }
    return isUnanswered(message) ? { ...message, status: "stopped" } : message
  })
  const messages = merge(rows, state.messages, state.stored)
  return { ...state, stored, before, history: "loaded", messages }
}

/** Its run has left nothing but its work: it ended before the first word. */
const isUnanswered = ({ status, text, messageId, parts }: AssistantMessage): boolean =>
  status === "done" && text === "" && messageId === null && parts.length === 0

/** Rows, oldest first, as questions each followed by its answer. */
export const fromStored = (rows: ReadonlyArray<StoredMessage>): ReadonlyArray<Message> => {
  const messages: Array<Message> = []
  const answers = new Map<string, number>()
  const begun = new Set<string>()
  for (const row of rows) {
    const isKnown = row.runId !== null && begun.has(row.runId)
    if (row.runId !== null) begun.add(row.runId)
    // What a person says in a run that has begun is a reply to it; a workflow begins without a question.
    if (row.category === "question" && !row.isBot && !isKnown) {
      messages.push(asked(row))
      continue
    }
    const key = row.runId ?? `before:${messages.findLast(({ role }) => role === "user")?.id ?? ""}`
    const place = placeOf(messages, answers, row, key)
    const answer = messages[place]
    if (answer?.role === "assistant") messages[place] = withRow(answer, row)
  }
  return messages
}

/** Where a row's answer is; made after its question when there is none yet. */
const placeOf = (
  messages: Array<Message>,
  answers: Map<string, number>,
  row: StoredMessage,
  key: string
): number => {
  const known = answers.get(key)
  if (known !== undefined) return known
  const question =
    row.runId === null ? -1 : messages.findIndex(({ role, runId }) => role === "user" && runId === row.runId)
  const place = question === -1 ? messages.length : question + 1
  const fresh = emptyAnswer(row.runId ?? `${row.id}`)
  messages.splice(place, 0, { ...fresh, runId: row.runId, status: "done", createdAt: row.createdAt })
  for (const [other, at] of answers) if (at >= place) answers.set(other, at + 1)
  answers.set(key, place)
  return place
}

const asked = (row: StoredMessage): UserMessage => ({
  role: "user",
  id: `m:${row.id}`,
  messageId: row.id,
  clientMsgId: null,
  runId: row.runId,
  text: row.message,
  delivery: "sent",
  error: null,
  createdAt: row.createdAt
})

const isToolKind = (category: string): category is ToolCategory =>
  category === "tool" || category === "flow" || category === "knowledge"

const withRow = (answer: AssistantMessage, row: StoredMessage): AssistantMessage => {
  const { category } = row
  const told = withStoredPart(answer, row)
  if (told !== null) return told
  const cut: Partial<AssistantMessage> = row.remark === "break_answer" ? { status: "stopped" } : {}
  if (category === "reasoning_answer") return { ...answer, ...cut, reasoning: row.message }
  if (isToolKind(category)) {
    const message = parseFields(row.message) ?? {}
    const extra = parseFields(row.extra) ?? {}
    const tool = {
      id: textOf(extra, "run_id") || `${row.id}`,
      kind: category,
      name: textOf(message, "tool_key") || textOf(extra, "name"),
      input: textOf(message, "input_str"),
      output: textOf(message, "output"),
      failed: extra["failed"] === true
    }
    return { ...answer, tools: [...answer.tools, tool] }
  }
  return {
    ...answer,
    ...cut,
    text: answer.text === "" ? row.message : `${answer.text}\n\n${row.message}`,
    messageId: row.id,
    ...groundsOf(row.source, parseFields(row.extra) ?? {}),
    steps: row.intermediateSteps === "" ? answer.steps : row.intermediateSteps.split("\n"),
    createdAt: row.createdAt ?? answer.createdAt
  }
}

/** Stored messages with what is shown already; what is shown and was never stored stays, in its place. */
const merge = (
  stored: ReadonlyArray<Message>,
  shown: ReadonlyArray<Message>,
  before: ReadonlyArray<StoredMessage>
): ReadonlyArray<Message> => {
  const used = new Set<Message>()
  const merged = stored.map((message): Message => {
    const live = shown.find((other) => isSame(message, other))
    if (live === undefined) return message
    used.add(live)
    return together(message, live)
  })
  const ids = new Set(before.map(({ id }) => id))
  for (const message of shown) {
    // What came from rows that were let go, goes with them.
    if (used.has(message) || (message.messageId !== null && ids.has(message.messageId))) continue
    const question =
      message.role === "assistant" && message.runId !== null
        ? merged.findIndex((other) => other.role === "user" && other.runId === message.runId)
        : -1
    merged.splice(question === -1 ? merged.length : question + 1, 0, message)
  }
  return merged
}

const isSame = (a: Message, b: Message): boolean => {
  if (a.role !== b.role) return false
  if (a.runId !== null && b.runId !== null) return a.runId === b.runId
  return a.messageId !== null && a.messageId === b.messageId
}

/** One message of its stored and its live version. It keeps the id under which it is shown. */
const together = (stored: Message, live: Message): Message => {
  if (stored.role === "user" && live.role === "user") {
    const { id, clientMsgId, delivery, error } = live
    return { ...stored, id, clientMsgId, delivery, error }
  }
  if (stored.role === "user" || live.role === "user") return stored
  // A page that was read before the answer was stored is behind what was seen since.
  const isBehind = live.status === "running" || live.error !== null || stored.messageId === null
  const parts = mergeParts(stored.parts, live.parts)
  if (isBehind) return { ...live, parts }
  return { ...stored, id: live.id, nodes: live.nodes, progress: live.progress ?? stored.progress, parts }
}

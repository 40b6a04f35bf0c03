/** What the server says, as far as this client understands it. Unknown types and categories pass through. */
import type { QuestionEcho } from "../protocol/frames.ts"
import { type Fields, fieldsOf, isFields, numberOrNull, parseFields, textOf, textOrNull } from "./json.ts"

export interface ServerFrame {
  readonly type: string
  readonly category: string
  readonly message: unknown
  readonly intermediateSteps: string | null
  readonly messageId: number | null
  readonly source: number
  readonly sender: string
  /** The JSON object in `receiver`, or null. */
  readonly receiver: Fields | null
  readonly files: ReadonlyArray<Fields>
  /** The JSON object in `extra`. */
  readonly extra: Fields
  readonly flowId: string
  readonly chatId: string
  /** null: for this socket only, no part of the session's log. */
  readonly seq: number | null
  /** The first position this frame covers; `seq` unless the server merged several deltas. */
  readonly firstSeq: number | null
  /** What stands for this frame in the short ones that follow. */
  readonly ref: number | null
  readonly runId: string | null
  readonly question: QuestionEcho | null
}

/** Answers null for what is no frame at all. */
export const parseFrame = (text: string): ServerFrame | null => {
  const fields = parseFields(text)
  if (fields === null) return null
  const type = textOrNull(fields, "type")
  const category = textOrNull(fields, "category")
  if (type === null || category === null) return null
  const seq = numberOrNull(fields, "seq")
  return {
    type,
    category,
    message: fields["message"] ?? "",
    intermediateSteps: textOrNull(fields, "intermediate_steps"),
    messageId: numberOrNull(fields, "message_id"),
    source: numberOrNull(fields, "source") ?? 0,
    sender: textOf(fields, "sender"),
    receiver: receiverOf(fields["receiver"]),
    files: filesOf(fields["files"]),
    extra: parseFields(textOf(fields, "extra")) ?? {},
    flowId: textOf(fields, "flow_id"),
    chatId: textOf(fields, "chat_id"),
    seq,
    firstSeq: numberOrNull(fields, "first_seq") ?? seq,
    ref: numberOrNull(fields, "ref"),
    runId: textOrNull(fields, "run_id"),
    question: isFields(fields["question"]) ? questionOf(fieldsOf(fields, "question")) : null
  }
}

/** An object, or the JSON text of one. */
export const receiverOf = (value: unknown): Fields | null =>
  isFields(value) ? value : typeof value === "string" ? parseFields(value) : null

/** A list of objects, or the JSON text of one. */
export const filesOf = (value: unknown): ReadonlyArray<Fields> => {
  const list = typeof value === "string" && value !== "" ? parseFields(`{"list":${value}}`)?.["list"] : value
  return Array.isArray(list) ? list.filter(isFields) : []
}

const questionOf = (fields: Fields): QuestionEcho => ({
  message_id: numberOrNull(fields, "message_id"),
  message: textOf(fields, "message"),
  user_id: numberOrNull(fields, "user_id") ?? 0,
  client_msg_id: textOrNull(fields, "client_msg_id")
})

/** A message that is an object, or the JSON text of one. */
export const messageFields = (message: unknown): Fields => {
  if (isFields(message)) return message
  return typeof message === "string" ? (parseFields(message) ?? {}) : {}
}

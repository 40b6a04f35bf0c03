/** Stored messages, as the history endpoint gives them. */
import { filesOf, receiverOf } from "./frame.ts"
import { type Fields, isFields, numberOrNull, textOf, textOrNull } from "./json.ts"

export interface StoredMessage {
  readonly id: number
  readonly isBot: boolean
  readonly category: string
  readonly message: string
  readonly intermediateSteps: string
  readonly extra: string
  /** "break_answer": cut short. */
  readonly remark: string
  readonly source: number
  readonly userId: number | null
  readonly runId: string | null
  readonly sender: string
  readonly receiver: Fields | null
  readonly files: ReadonlyArray<Fields>
  /** Milliseconds since 1970; null where the server does not say. */
  readonly createdAt: number | null
}

/** Newest first, as asked for. */
export interface HistoryPage {
  readonly messages: ReadonlyArray<StoredMessage>
  /** The id to ask for older ones with; null: there are none. */
  readonly before: number | null
  /** Whether this page follows an older one (`before` was given). */
  readonly older: boolean
}

export interface HistoryQuery {
  /** Only messages with smaller ids. */
  readonly before?: number
  /** 30 unless said. */
  readonly limit?: number
}

export const readHistory = (data: unknown, query: HistoryQuery, limit: number): HistoryPage => {
  const rows = Array.isArray(data) ? data.filter(isFields) : []
  const messages = rows.map(readMessage).filter((message) => message !== null)
  const oldest = messages.reduce<number | null>(
    (least, { id }) => (least === null || id < least ? id : least),
    null
  )
  return { messages, before: rows.length < limit ? null : oldest, older: query.before !== undefined }
}

const readMessage = (fields: Fields): StoredMessage | null => {
  const id = numberOrNull(fields, "id")
  if (id === null) return null
  return {
    id,
    isBot: fields["is_bot"] === true || fields["is_bot"] === 1,
    category: textOf(fields, "category"),
    message: textOf(fields, "message"),
    intermediateSteps: textOf(fields, "intermediate_steps"),
    extra: textOf(fields, "extra"),
    remark: textOf(fields, "remark"),
    source: numberOrNull(fields, "source") ?? 0,
    userId: numberOrNull(fields, "user_id"),
    runId: textOrNull(fields, "run_id"),
    sender: textOf(fields, "sender"),
    receiver: receiverOf(fields["receiver"]),
    files: filesOf(fields["files"]),
    createdAt: readTime(textOf(fields, "create_time"))
  }
}

/** The server's times are UTC, with or without saying so. */
const readTime = (text: string): number | null => {
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text.replace(" ", "T")}Z`)
  return Number.isNaN(time) ? null : time
}

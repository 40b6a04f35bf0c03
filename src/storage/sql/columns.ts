/** How values stand in columns, and how rows are read back: the boundary where SQL's answers are decoded. */
import * as Schema from "effect/Schema"

/** Both dialects keep times as UTC text with milliseconds, `2026-01-31 23:59:59.123`; MySQL as DATETIME(3). */
export const sqlTime = (time: Date): string => time.toISOString().slice(0, 23).replace("T", " ")

const Time = Schema.transform(Schema.String, Schema.ValidDateFromSelf, {
  strict: true,
  decode: (text) => new Date(`${text.replace(" ", "T")}Z`),
  encode: sqlTime
})

/** MySQL's driver gives whole numbers above 2^53 as text; those are refused, not rounded. */
export const Whole = Schema.Union(Schema.Int, Schema.NumberFromString.pipe(Schema.int()))

const Bit = Schema.transform(Schema.Number, Schema.Boolean, {
  strict: true,
  decode: (bit) => bit !== 0,
  encode: (value) => (value ? 1 : 0)
})

const FlowType = Schema.Literal(1, 5, 10, 100)

export const UserRow = Schema.Struct({
  user_id: Whole,
  user_name: Schema.String,
  role: Schema.Literal("admin", "user", "guest"),
  create_time: Time
})

export const CredentialsRow = Schema.Struct({ ...UserRow.fields, password: Schema.String })

export const FlowHeadRow = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  flow_type: FlowType,
  status: Schema.Literal(1, 2),
  user_id: Whole,
  version_id: Whole,
  create_time: Time,
  update_time: Time
})

export const FlowRow = Schema.Struct({ ...FlowHeadRow.fields, data: Schema.parseJson() })

const versionFields = {
  id: Whole,
  flow_id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  user_id: Whole,
  is_current: Bit,
  create_time: Time,
  update_time: Time
}

export const VersionSummaryRow = Schema.Struct(versionFields)

export const VersionRow = Schema.Struct({ ...versionFields, data: Schema.parseJson() })

export const SessionRow = Schema.Struct({
  chat_id: Schema.String,
  flow_id: Schema.String,
  flow_type: FlowType,
  flow_name: Schema.String,
  name: Schema.String,
  user_id: Whole,
  like: Whole,
  dislike: Whole,
  copied: Whole,
  sensitive_status: Whole,
  memory_floor: Whole,
  create_time: Time,
  update_time: Time
})

export const MessageRow = Schema.Struct({
  id: Whole,
  is_bot: Bit,
  source: Whole,
  type: Schema.String,
  category: Schema.String,
  flow_id: Schema.String,
  chat_id: Schema.String,
  user_id: Whole,
  run_id: Schema.NullOr(Schema.String),
  liked: Whole,
  solved: Whole,
  copied: Whole,
  sensitive_status: Whole,
  message: Schema.String,
  intermediate_steps: Schema.String,
  files: Schema.String,
  extra: Schema.String,
  remark: Schema.String,
  sender: Schema.String,
  receiver: Schema.String,
  create_time: Time,
  update_time: Time
})

export const RunRow = Schema.Struct({
  id: Schema.String,
  chat_id: Schema.String,
  flow_id: Schema.String,
  user_id: Whole,
  action: Schema.String,
  status: Schema.Literal("queued", "running", "waiting_input", "done", "stopped", "failed", "lost"),
  owner: Schema.String,
  client_msg_id: Schema.NullOr(Schema.String),
  question_id: Whole,
  payload: Schema.String,
  queue_rank: Whole,
  partial_text: Schema.String,
  partial_reasoning: Schema.String,
  error: Schema.String,
  prompt_tokens: Whole,
  completion_tokens: Whole,
  create_time: Time,
  start_time: Schema.NullOr(Time),
  end_time: Schema.NullOr(Time)
})

export const WaitRow = Schema.Struct({
  ...RunRow.fields,
  state: Schema.String,
  wait_until: Time
})

export const FileRow = Schema.Struct({
  id: Schema.String,
  flow_id: Schema.String,
  user_id: Whole,
  chat_id: Schema.String,
  purpose: Schema.Literal("document", "made", "template"),
  name: Schema.String,
  media_type: Schema.String,
  bytes: Whole,
  create_time: Time
})

export const RecallRow = Schema.Struct({
  id: Whole,
  message_id: Whole,
  chunk: Schema.String,
  file_id: Schema.String,
  file_name: Schema.String,
  page: Schema.NullOr(Whole),
  score: Schema.Number,
  boxes: Schema.NullOr(Schema.String),
  url: Schema.NullOr(Schema.String)
})

export const ReportTemplateRow = Schema.Struct({
  flow_id: Schema.String,
  version: Whole,
  file_id: Schema.String,
  file_name: Schema.String,
  user_id: Whole,
  create_time: Time
})

/** Sums come as text from MySQL, and as nothing over no rows. */
export const UsageRow = Schema.Struct({ files: Whole, bytes: Schema.NullOr(Whole) })

export const AuditRow = Schema.Struct({
  id: Whole,
  user_id: Whole,
  action: Schema.String,
  object_id: Schema.String,
  ip: Schema.String,
  create_time: Time
})

export const CountRow = Schema.Struct({ n: Whole })

/** What a writing statement answers: MySQL's header, or SQLite's. */
export const Written = Schema.Union(
  Schema.Struct({
    changes: Schema.propertySignature(Whole).pipe(Schema.fromKey("affectedRows")),
    id: Schema.propertySignature(Whole).pipe(Schema.fromKey("insertId"))
  }),
  Schema.Struct({
    changes: Whole,
    id: Schema.propertySignature(Whole).pipe(Schema.fromKey("lastInsertRowid"))
  })
)

/** Sessions, their messages with the passages behind them, and the runs that wrote them. */
import {
  exact,
  float,
  integer,
  longText,
  nullable,
  type Statements,
  serial,
  small,
  table,
  text,
  time
} from "./ddl.ts"

const sessions = table(
  "message_session",
  {
    chat_id: exact(64),
    flow_id: exact(32),
    flow_type: small,
    flow_name: text(255),
    name: text(255),
    user_id: integer,
    like: integer,
    dislike: integer,
    copied: integer,
    sensitive_status: small,
    memory_floor: integer,
    /** The run whose question opened it. */
    opened_by: exact(32),
    is_delete: small,
    create_time: time,
    update_time: time
  },
  { primary: ["chat_id"], index: [["user_id", "is_delete", "update_time"]] }
)

const messages = table(
  "chat_message",
  {
    id: serial,
    is_bot: small,
    source: small,
    type: text(64),
    category: text(64),
    flow_id: exact(32),
    chat_id: exact(64),
    user_id: integer,
    run_id: nullable(exact(32)),
    liked: small,
    solved: small,
    copied: small,
    sensitive_status: small,
    message: longText,
    intermediate_steps: longText,
    files: longText,
    extra: longText,
    remark: text(1024),
    sender: text(255),
    receiver: longText,
    create_time: time,
    update_time: time
  },
  { index: [["chat_id", "id"], ["run_id"]] }
)

const passages = table(
  "recall_chunk",
  {
    id: serial,
    message_id: integer,
    chunk: longText,
    file_id: exact(64),
    file_name: text(1024),
    page: nullable(integer),
    score: float,
    create_time: time
  },
  { index: [["message_id"]] }
)

const runs = table(
  "run",
  {
    id: exact(32),
    chat_id: exact(64),
    flow_id: exact(32),
    user_id: integer,
    action: text(64),
    status: exact(16),
    owner: exact(255),
    client_msg_id: nullable(exact(64)),
    question_id: integer,
    partial_text: longText,
    partial_reasoning: longText,
    error: longText,
    prompt_tokens: integer,
    completion_tokens: integer,
    create_time: time,
    start_time: nullable(time),
    end_time: nullable(time)
  },
  {
    primary: ["id"],
    unique: [["chat_id", "client_msg_id"]],
    index: [
      ["chat_id", "question_id"],
      ["owner", "status"]
    ]
  }
)

export const chats: Statements = (dialect) =>
  [sessions, messages, passages, runs].flatMap((statements) => statements(dialect))

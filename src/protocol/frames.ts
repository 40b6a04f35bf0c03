/**
 * What the server says on a socket. One frame is one JSON object in one text message; field names,
 * types and their order are those of Bisheng's chat module, so that its web clients read them unchanged.
 * Fields that only our own clients use are optional here and documented in docs/protocol.md.
 */

export type FrameType =
  | "begin"
  | "start"
  | "stream"
  | "end"
  | "end_cover"
  | "over"
  | "close"
  | "error"
  | "info"
  | "file"

export type FrameCategory =
  | "system"
  | "processing"
  | "question"
  | "answer"
  | "reasoning_answer"
  | "report"
  | "divider"
  | "tool"
  | "flow"
  | "knowledge"
  | "tool_call"
  | "tool_result"
  | "error"
  | "session"
  | "queue"
  | "reply"
  | "node_run"
  | "guide_word"
  | "guide_question"
  | "input"
  | "output_msg"
  | "output_with_input_msg"
  | "output_with_choose_msg"
  | "stream_msg"

/** The kinds of tool bubble a client can draw. */
export type ToolCategory = "tool" | "flow" | "knowledge"

export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

export interface Frame {
  readonly is_bot: boolean
  readonly message: Json
  readonly type: FrameType
  readonly category: FrameCategory
  readonly intermediate_steps: string | null
  readonly files: ReadonlyArray<Json> | null
  readonly user_id: number | null
  /** The database id of the bubble; set once its row is committed. */
  readonly message_id: number | null
  /** 0 none, 1 file, 2 no permission, 3 link, 4 question-answer pair. */
  readonly source: number
  readonly sender: string | null
  readonly receiver: Json
  readonly liked: number
  /** A JSON object as a string. */
  readonly extra: string
  readonly flow_id: string
  readonly chat_id: string
  /** Position in the session's log, counting from 1. Absent on frames meant for one socket only. */
  readonly seq?: number
  /** Present when this frame stands for several merged deltas: the first position it covers. */
  readonly first_seq?: number
  /** What stands for this frame in the short ones that follow, on sockets that asked for them. */
  readonly ref?: number
  readonly run_id?: string
  /** On `begin`: the question this run answers. */
  readonly question?: QuestionEcho
}

export interface QuestionEcho {
  readonly message_id: number | null
  readonly message: string
  readonly user_id: number
  readonly client_msg_id: string | null
}

/** The two ids every frame of a session carries. `chatId` is "" in debug mode. */
export interface Address {
  readonly flowId: string
  readonly chatId: string
}

/** A frame with everything unsaid at its neutral value. */
export const frame = (
  address: Address,
  type: FrameType,
  category: FrameCategory,
  fields: Partial<Frame> = {}
): Frame => ({
  is_bot: true,
  message: "",
  type,
  category,
  intermediate_steps: null,
  files: null,
  user_id: null,
  message_id: null,
  source: 0,
  sender: null,
  receiver: null,
  liked: 0,
  extra: "{}",
  flow_id: address.flowId,
  chat_id: address.chatId,
  ...fields
})

/**
 * The rows, as they are everywhere above SQL. Table and column names are Bisheng's where it has them.
 * Times are UTC, in milliseconds; ids of messages count up in the order of commit within a session.
 */

/** 1 skill, 5 assistant, 10 workflow, 100 remote: a service elsewhere that answers. */
export type FlowType = 1 | 5 | 10 | 100

/** 1 offline, 2 online. */
export type FlowStatus = 1 | 2

export type UserRole = "admin" | "user" | "guest"

export type RunStatus = "queued" | "running" | "waiting_input" | "done" | "stopped" | "failed" | "lost"

/** An answer that was cut short: shown in history, never given to the model again. */
export const breakAnswer = "break_answer"

/** Stands for the question of a run that began without one: never shown, never given to the model. */
export const unseen = "init"

export interface User {
  readonly user_id: number
  readonly user_name: string
  readonly role: UserRole
  readonly create_time: Date
}

export interface Flow {
  /** 32 hex digits. */
  readonly id: string
  readonly name: string
  readonly description: string
  readonly flow_type: FlowType
  readonly status: FlowStatus
  readonly user_id: number
  /** The current version's graph (`{nodes, edges}`), or an assistant's settings. */
  readonly data: unknown
  readonly version_id: number
  readonly create_time: Date
  readonly update_time: Date
}

/** An app without its graph, which may be large. */
export type FlowHead = Omit<Flow, "data">

export interface FlowVersion {
  readonly id: number
  readonly flow_id: string
  /** "" where it was made by a change of its app. */
  readonly name: string
  readonly description: string
  readonly user_id: number
  readonly data: unknown
  readonly is_current: boolean
  readonly create_time: Date
  readonly update_time: Date
}

export interface MessageSession {
  readonly chat_id: string
  readonly flow_id: string
  readonly flow_type: FlowType
  readonly flow_name: string
  /** The beginning of its first question, until its owner gives it another. */
  readonly name: string
  readonly user_id: number
  readonly like: number
  readonly dislike: number
  readonly copied: number
  readonly sensitive_status: number
  /** Messages with ids up to this one are no longer given to the model (`clear_history`). */
  readonly memory_floor: number
  readonly create_time: Date
  readonly update_time: Date
}

export interface ChatMessage {
  readonly id: number
  readonly is_bot: boolean
  readonly source: number
  readonly type: string
  readonly category: string
  readonly flow_id: string
  readonly chat_id: string
  readonly user_id: number
  readonly run_id: string | null
  readonly liked: number
  readonly solved: number
  readonly copied: number
  readonly sensitive_status: number
  readonly message: string
  readonly intermediate_steps: string
  /** JSON text of an array, or "". */
  readonly files: string
  /** JSON text of an object. */
  readonly extra: string
  readonly remark: string
  readonly sender: string
  /** JSON text, or "". */
  readonly receiver: string
  readonly create_time: Date
  readonly update_time: Date
}

/** What a writer says of a message; the rest has defaults. `chat_id`, `flow_id`, `user_id`, `run_id` come from its run. */
export interface NewMessage {
  readonly is_bot: boolean
  readonly type: string
  readonly category: string
  readonly message: string
  readonly source?: number
  readonly intermediate_steps?: string
  readonly files?: string
  readonly extra?: string
  readonly remark?: string
  readonly sender?: string
  readonly receiver?: string
  readonly passages?: ReadonlyArray<NewRecallChunk>
}

/** A retrieved piece of a document, kept under the message it supports. */
export interface NewRecallChunk {
  readonly text: string
  readonly file_id: string
  readonly file_name: string
  readonly page: number | null
  readonly score: number
  /** Where on the pages it stands: JSON text of an array, as far as the document tells. */
  readonly boxes?: string
  /** Of a passage from the web. */
  readonly url?: string
}

/** A passage as it is kept. */
export interface RecallChunk {
  readonly id: number
  readonly message_id: number
  readonly chunk: string
  /** "" or another name where it is not of an uploaded file. */
  readonly file_id: string
  readonly file_name: string
  readonly page: number | null
  readonly score: number
  /** JSON text of an array; null where nobody knows. */
  readonly boxes: string | null
  readonly url: string | null
}

export interface Run {
  /** 32 hex digits. */
  readonly id: string
  readonly chat_id: string
  readonly flow_id: string
  readonly user_id: number
  readonly action: string
  readonly status: RunStatus
  /** The node that runs or ran it; of a queued run the one that accepted it. */
  readonly owner: string
  readonly client_msg_id: string | null
  /** The question's message id. */
  readonly question_id: number
  /** What the session needs to run the question later; "" where it was accepted before there was a queue. */
  readonly payload: string
  /** The lower goes first, and of equals the older. */
  readonly queue_rank: number
  readonly partial_text: string
  readonly partial_reasoning: string
  readonly error: string
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly create_time: Date
  readonly start_time: Date | null
  readonly end_time: Date | null
}

/** A run that waits for a person. */
export interface WaitingRun {
  readonly run: Run
  /** JSON text: what is needed to go on. */
  readonly state: string
  readonly until: Date
}

/**
 * `document`: given to an app to answer from. `made`: written by the server for somebody to download.
 * `template`: what an app's reports are filled into.
 */
export type FilePurpose = "document" | "made" | "template"

export interface StoredFile {
  /** 32 hex digits. */
  readonly id: string
  readonly flow_id: string
  readonly user_id: number
  /** The chat it belongs to and goes with; "": all of the app's. */
  readonly chat_id: string
  readonly purpose: FilePurpose
  readonly name: string
  readonly media_type: string
  readonly bytes: number
  readonly create_time: Date
}

/** A version of the .docx file that an app's reports are filled into. */
export interface ReportTemplate {
  readonly flow_id: string
  /** Counts up from 1. */
  readonly version: number
  readonly file_id: string
  readonly file_name: string
  readonly user_id: number
  readonly create_time: Date
}

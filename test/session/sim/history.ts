/** What is known of a simulated history when it is over: what clients saw, and what the stores hold. */
import type { Frame } from "../../../src/protocol/frames.ts"
import type { ResumePoint } from "../../../src/protocol/payloads.ts"
import type { ChatMessage, Run } from "../../../src/storage/rows.ts"
import type { Place } from "./Socket.ts"

/** A frame of the log as a client got it. */
export interface SeenFrame
  extends Pick<
    Frame,
    | "type"
    | "category"
    | "message"
    | "message_id"
    | "run_id"
    | "receiver"
    | "intermediate_steps"
    | "first_seq"
    | "question"
  > {
  readonly seq: number
}

export type Entry =
  /** A connection was opened, or its log was replaced. `ended`: the runs that the history shows as over. */
  | {
      readonly _tag: "Opened"
      readonly place: Place
      /** Where the client had been; null: nowhere. */
      readonly before: ResumePoint | null
      readonly ended: ReadonlySet<string>
    }
  | { readonly _tag: "Frame"; readonly frame: SeenFrame }
  | { readonly _tag: "Lost" }
  /** This question or reply was acknowledged: it was accepted. */
  | { readonly _tag: "Acknowledged"; readonly clientMsgId: string }

export interface ClientHistory {
  readonly name: string
  readonly chatId: string
  readonly entries: ReadonlyArray<Entry>
  /** Connected when everything had come to rest. */
  readonly isPresent: boolean
}

export interface StoredRun {
  readonly run: Pick<Run, "id" | "chat_id" | "client_msg_id" | "status" | "owner">
  readonly rows: ReadonlyArray<Pick<ChatMessage, "id" | "category" | "remark" | "message">>
}

export interface History {
  readonly clients: ReadonlyArray<ClientHistory>
  readonly runs: ReadonlyArray<StoredRun>
  /** Processes that others have or may have taken for dead. */
  readonly gone: ReadonlySet<string>
  /** Those of them that lived, and reached the store all along. */
  readonly wronged: ReadonlySet<string>
  /** Why it did not come to rest; null: it did. */
  readonly unrest: string | null
}

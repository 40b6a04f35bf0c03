/** What a session may be asked, and with which options. */
import type { OnBusy } from "../protocol/payloads.ts"
import type { Prompt } from "./prompts.ts"

export interface SendOptions {
  /** What to do while the session is answering: "enqueue" unless said. */
  readonly onBusy?: OnBusy
  /** More inputs for the app; the text goes under `inputs.input`. */
  readonly inputs?: Readonly<Record<string, unknown>>
  /** A id of your own that makes the question idempotent; one is made if there is none. */
  readonly clientMsgId?: string
}

export interface AskOptions {
  /** What to do while the session is answering: "enqueue" unless said. */
  readonly onBusy?: OnBusy
  /** How the conversation shows what was asked, until the server says it. */
  readonly text?: string
  readonly clientMsgId?: string
}

/** A value for one of the app's input nodes: an uploaded file, or a variable's. */
export interface FormValue {
  /** The node, or the name under which the app's record lists it. */
  readonly id: string
  /** What the upload answered as `file_path`. */
  readonly filePath?: string
  readonly name?: string
  readonly value?: string
}

export interface ReplyOptions {
  /** Which prompt is answered: `state.waiting` unless said. */
  readonly prompt?: Prompt
  /** Uploaded files: those of a line of dialogue, or the names of those in a form's values. */
  readonly files?: ReadonlyArray<{ readonly id: string; readonly name: string }>
  readonly clientMsgId?: string
}

/** A form value as the server takes it. */
export const sayValue = ({ id, filePath, name, value }: FormValue) => ({
  id,
  ...(filePath === undefined ? {} : { file_path: filePath }),
  ...(name === undefined ? {} : { name }),
  ...(value === undefined ? {} : { value })
})

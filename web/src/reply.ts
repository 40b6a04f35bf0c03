/** How the person's answer to what a run asks leaves the page. */
import type { Prompt, ReplyValues } from "../../src/client/client.ts"

export type Reply = (
  prompt: Prompt,
  answer: string | ReplyValues,
  files?: ReadonlyArray<{ readonly id: string; readonly name: string }>
) => void

/** Where files of a form go. */
export interface Place {
  readonly flowId: string
  readonly chatId: string
}

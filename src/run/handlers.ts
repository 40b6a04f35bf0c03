/**
 * One entry an action: from a question to a Stream of events. Adding an action is adding a file that makes
 * such a function and a line here (docs/extending.md).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { App } from "../app/App.ts"
import type { RunFailed } from "../protocol/errors.ts"
import type { Deltas, RunEvent } from "../protocol/RunEvent.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Journal } from "./Journal.ts"

export interface RunRequest {
  readonly app: App
  readonly text: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly userId: number
  readonly journal: Journal
}

export type Handler = (request: RunRequest) => Stream.Stream<RunEvent, RunFailed | StorageError, Deltas>

/** The app answers the question, with the conversation so far in mind. */
const answerQuestion: Handler = ({ app, text, inputs, userId, journal }) =>
  Stream.unwrap(Effect.map(journal.memory, (history) => app.answer({ text, inputs, userId, history })))

export type Action = "default"

export const handlers: Readonly<Record<Action, Handler>> = { default: answerQuestion }

/** A question on its way through its run, and how it is kept until it is its turn. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { App } from "../app/App.ts"
import type { Frame, QuestionEcho } from "../protocol/frames.ts"
import type { Action } from "../run/Actions.ts"
import type { KnownRun } from "../run/Journal.ts"

export interface Turn {
  readonly runId: string
  readonly action: Action
  readonly app: App
  readonly inputs: Readonly<Record<string, unknown>>
  readonly userId: number
  readonly echo: QuestionEcho
  /** The run that it replaces, of which nothing is to be kept. */
  readonly rollback: string | null
  /** `client_msg_id`s of the replies it has had. */
  readonly replies: ReadonlyArray<string>
  /** What it has asked before and still waits for, beside what was replied to. */
  readonly open: ReadonlyArray<Frame>
}

const Payload = Schema.Struct({
  inputs: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  text: Schema.String,
  rollback: Schema.NullOr(Schema.String)
})

/** What a waiting question needs beside its row. */
export type Payload = typeof Payload.Type

export const encodePayload = (payload: Payload): string => JSON.stringify(payload)

const decode = Schema.decodeUnknownEither(Schema.parseJson(Payload))

/** A row of a version that kept nothing of the kind is a question without inputs. */
export const decodePayload = (text: string): Payload =>
  Either.getOrElse(decode(text), () => ({ inputs: {}, text: "", rollback: null }))

export const echoOf = (run: KnownRun, text: string): QuestionEcho => ({
  message_id: run.questionId,
  message: text,
  user_id: run.userId,
  client_msg_id: run.clientMsgId
})

export const turnOf = (run: KnownRun, action: Action, app: App, payload: Payload): Turn => ({
  runId: run.runId,
  action,
  app,
  inputs: payload.inputs,
  userId: run.userId,
  echo: echoOf(run, payload.text),
  rollback: payload.rollback,
  replies: [],
  open: []
})

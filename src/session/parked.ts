/** A run that waits for a person, as it is kept in its row: what the app needs to go on, and what it asked. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { App } from "../app/App.ts"
import type { Frame } from "../protocol/frames.ts"
import type { ActionTable } from "../run/Actions.ts"
import type { Journal } from "../run/Journal.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { echoOf, type Turn } from "./turn.ts"

/** Replies remembered by their `client_msg_id`, so that a repeat is known for one. */
export const maxReplies = 64

const FrameText = Schema.declare(
  (value: unknown): value is Frame => Predicate.isRecord(value) && typeof value["type"] === "string"
)

const Kept = Schema.Struct({
  inputs: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** The question that began the run. */
  text: Schema.String,
  state: Schema.Unknown,
  prompts: Schema.Array(FrameText),
  replies: Schema.Array(Schema.String)
})

export type Kept = typeof Kept.Type

const decode = Schema.decodeUnknown(Schema.parseJson(Kept))

export const encodeKept = (kept: Kept): string => JSON.stringify(kept)

/** What was written by this server or an earlier version of it: anything else is a defect of the database. */
export const decodeKept = (text: string): Effect.Effect<Kept, StorageError> => Effect.orDie(decode(text))

/** No fiber, no slot, on no node: whoever gets the reply goes on with it. */
export interface Parked {
  readonly turn: Turn
  readonly state: unknown
  readonly prompts: ReadonlyArray<Frame>
}

/** The run of this app that waits in this chat. */
export const findParked = (
  app: App,
  journal: Journal,
  actions: ActionTable
): Effect.Effect<Parked | null, StorageError> =>
  Effect.gen(function* () {
    if (app.resume === undefined) return null
    const found = yield* journal.waiting
    if (Option.isNone(found)) return null
    const { run, state } = found.value
    const kept = yield* decodeKept(state)
    const turn: Turn = {
      runId: run.runId,
      action: actions[run.action] ?? actions.default,
      app,
      inputs: kept.inputs,
      userId: run.userId,
      echo: echoOf(run, kept.text),
      rollback: null,
      replies: kept.replies,
      open: []
    }
    return { turn, state: kept.state, prompts: kept.prompts }
  })

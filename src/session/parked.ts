/** A run that waits for a person, as it is kept in its row: what the app needs to go on, and what it asked. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Frame } from "../protocol/frames.ts"
import type { StorageError } from "../storage/StorageError.ts"

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

/** The passages that answers rest on. They are written with their message (`Runs`), and go with it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RecallChunk } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

/** More than any answer is built from. */
export const maxRecalls = 500

export interface RecallStore {
  /** A message's passages as they were given, the first {@link maxRecalls} of them. */
  readonly ofMessage: (messageId: number) => Effect.Effect<ReadonlyArray<RecallChunk>, StorageError>
}

export class Recalls extends Context.Tag("colloquy/storage/Recalls")<Recalls, RecallStore>() {}

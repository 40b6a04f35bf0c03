/** Whether the database answers: what readiness is made of. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "./StorageError.ts"

export class StorageHealth extends Context.Tag("colloquy/storage/StorageHealth")<
  StorageHealth,
  {
    /** One trivial round trip. */
    readonly check: Effect.Effect<void, StorageError>
  }
>() {}

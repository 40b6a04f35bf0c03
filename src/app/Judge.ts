/** What of the files a person may see: see `knowledge/sources.ts`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Judged, judgeSource, readableFiles } from "../knowledge/sources.ts"
import type { Passage } from "../protocol/RunEvent.ts"
import type { Files } from "../storage/Files.ts"
import type { Flows } from "../storage/Flows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Users } from "../storage/Users.ts"

export interface JudgeService {
  /** Where an answer comes from, for the one it is for. */
  readonly source: (passages: ReadonlyArray<Passage>, userId: number) => Effect.Effect<Judged, StorageError>
  /** Whether all of these files are there, and this user's to read. */
  readonly mayRead: (fileIds: ReadonlyArray<string>, userId: number) => Effect.Effect<boolean, StorageError>
}

export class Judge extends Context.Tag("colloquy/Judge")<Judge, JudgeService>() {
  static readonly Live = Layer.effect(
    Judge,
    Effect.map(Effect.context<Files | Flows | Users>(), (stores) => ({
      source: (passages, userId) => Effect.provide(judgeSource(passages, userId), stores),
      mayRead: (fileIds, userId) =>
        Effect.map(readableFiles(fileIds, userId), (readable) =>
          fileIds.every((id) => readable.has(id))
        ).pipe(Effect.provide(stores))
    }))
  )
}

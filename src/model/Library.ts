/** What the built-in offline model reads. The knowledge room provides it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export interface LibraryPassage {
  readonly text: string
  readonly fileId: string
  readonly fileName: string
  readonly page: number | null
  readonly score: number
}

export interface LibraryService {
  /**
   * The best passages for a question among the files that the app's owner and this user uploaded for the
   * app, or among the product's own documentation where there are none. Empty when nothing matches.
   * Never fails: an unreadable file is logged and left out.
   */
  readonly search: (query: {
    readonly text: string
    readonly flowId: string
    readonly userId: number
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<LibraryPassage>>
}

export class Library extends Context.Tag("colloquy/Library")<Library, LibraryService>() {}

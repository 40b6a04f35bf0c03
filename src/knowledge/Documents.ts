/**
 * Documents as text: uploaded files of every kind that can be read, and pages of the web.
 *
 * Promises: bounded in pages, characters and time; nothing in a document is ever executed or followed; a file
 * that cannot be read is told in words for its user (encrypted, empty, damaged, too long).
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Box } from "../protocol/RunEvent.ts"

/** A piece of a document: a page, a sheet's rows, or the whole where it has no parts. */
export interface Doc {
  readonly text: string
  /** "" for a page of the web. */
  readonly fileId: string
  readonly fileName: string
  /** Counts from 1; null where the document has no pages. */
  readonly page: number | null
  readonly boxes: ReadonlyArray<Box>
  readonly url: string | null
  /** What stands above it: titles, column names. "" where there is nothing. */
  readonly heading: string
}

/** `reason` is for people, and says what to do. */
export class DocumentFailed extends Data.TaggedError("DocumentFailed")<{ readonly reason: string }> {}

export interface DocumentsService {
  /** Of an uploaded file, in the document's order. Never empty: a file without text fails. */
  readonly load: (fileId: string) => Effect.Effect<ReadonlyArray<Doc>, DocumentFailed>
  /** Of a page of the web; only from hosts that the configuration allows. */
  readonly fetch: (url: string) => Effect.Effect<ReadonlyArray<Doc>, DocumentFailed>
}

export class Documents extends Context.Tag("colloquy/Documents")<Documents, DocumentsService>() {}

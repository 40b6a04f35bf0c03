/**
 * Search over documents: BM25 always, together with embeddings where an embedding model is configured.
 *
 * Promises: an index is bounded in size; the result is the same for the same documents and question; without
 * an embedding model, or when it fails, words alone decide (and the log says so).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Passage } from "../protocol/RunEvent.ts"
import type { Doc, DocumentFailed } from "./Documents.ts"

export interface Retriever {
  /** Best first. Empty where nothing fits. */
  readonly search: (question: string, limit: number) => Effect.Effect<ReadonlyArray<Passage>>
}

export interface RetrievalService {
  /** Over these pieces as they are: split long ones first (`split`). */
  readonly index: (docs: ReadonlyArray<Doc>) => Effect.Effect<Retriever, DocumentFailed>
}

export class Retrieval extends Context.Tag("colloquy/Retrieval")<Retrieval, RetrievalService>() {}

/**
 * Finds the app behind a flow id, built and ready to answer.
 *
 * Promises: an app is built once however many sessions ask at the same moment, and again after its record
 * changed (a change is seen by the next `open`); what is kept is bounded by count and idle time. All templates
 * of an app share what was built of it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AppDeleted, AppNotBuilt, AppOffline } from "../protocol/errors.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { App } from "./App.ts"

export interface CatalogueService {
  /** For sessions: the app must exist and be online. */
  readonly open: (flowId: string) => Effect.Effect<App, AppDeleted | AppOffline | AppNotBuilt | StorageError>
  /**
   * For debug mode: its owner's view, online or not. Someone else's app is as good as deleted. A skill is what
   * was last built in the editor (`/build/stream`); others are what is stored, or a version of it.
   */
  readonly openDebug: (
    flowId: string,
    userId: number,
    versionId?: number
  ) => Effect.Effect<App, AppDeleted | AppNotBuilt | StorageError>
  /** The same with a graph that is not stored at all: as a client draws it at this moment. */
  readonly openDraft: (
    flowId: string,
    userId: number,
    data: unknown
  ) => Effect.Effect<App, AppDeleted | AppNotBuilt | StorageError>
}

export class Catalogue extends Context.Tag("colloquy/Catalogue")<Catalogue, CatalogueService>() {}

/**
 * The versions of an app's graph or settings. One of them is current: it is what `Flows` answers and sessions
 * run. A change of an app's data adds a version; others are saved beside it, and debugged by their number.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { FlowVersion } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

export interface NewVersion {
  readonly flow_id: string
  readonly user_id: number
  readonly name: string
  readonly description: string
  readonly data: unknown
}

export interface VersionChange {
  readonly name?: string
  readonly description?: string
  readonly data?: unknown
}

/** Versions of a deleted app, and deleted versions, are not found. */
export interface VersionStore {
  /** Newest first, without their data. */
  readonly list: (query: {
    readonly flowId: string
    readonly page: number
    readonly limit: number
  }) => Effect.Effect<
    { readonly rows: ReadonlyArray<Omit<FlowVersion, "data">>; readonly total: number },
    StorageError
  >
  readonly get: (id: number) => Effect.Effect<Option.Option<FlowVersion>, StorageError>
  /** Beside the current one. None: there is no such app. */
  readonly create: (version: NewVersion) => Effect.Effect<Option.Option<FlowVersion>, StorageError>
  readonly update: (
    id: number,
    change: VersionChange
  ) => Effect.Effect<Option.Option<FlowVersion>, StorageError>
  /** The current version stays: false. */
  readonly remove: (id: number) => Effect.Effect<boolean, StorageError>
  /** false: the app has no such version. */
  readonly setCurrent: (flowId: string, id: number) => Effect.Effect<boolean, StorageError>
}

export class Versions extends Context.Tag("colloquy/storage/Versions")<Versions, VersionStore>() {}

/** Apps: skills (1), assistants (5) and workflows (10). A change of `data` makes a new version. Deleting is soft. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Flow, FlowHead, FlowStatus, FlowType } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

export interface NewFlow {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly flow_type: FlowType
  readonly status: FlowStatus
  readonly user_id: number
  readonly data: unknown
}

export interface FlowChange {
  readonly name?: string
  readonly description?: string
  readonly status?: FlowStatus
  readonly data?: unknown
}

export interface FlowQuery {
  /** Apps of this owner, and everybody's online ones; null for all (admin). */
  readonly visibleTo: number | null
  readonly flowType: FlowType | null
  readonly keyword: string
  readonly onlineOnly: boolean
  readonly page: number
  readonly limit: number
}

export interface FlowStore {
  /** The id is the caller's; inserting an id that exists fails. */
  readonly create: (flow: NewFlow) => Effect.Effect<Flow, StorageError>
  /** Deleted ones are not found. */
  readonly get: (id: string) => Effect.Effect<Option.Option<Flow>, StorageError>
  /** The same without reading the graph. */
  readonly head: (id: string) => Effect.Effect<Option.Option<FlowHead>, StorageError>
  readonly update: (id: string, change: FlowChange) => Effect.Effect<Option.Option<Flow>, StorageError>
  readonly remove: (id: string) => Effect.Effect<boolean, StorageError>
  /** Latest change first. */
  readonly list: (
    query: FlowQuery
  ) => Effect.Effect<{ readonly rows: ReadonlyArray<Flow>; readonly total: number }, StorageError>
}

export class Flows extends Context.Tag("colloquy/storage/Flows")<Flows, FlowStore>() {}

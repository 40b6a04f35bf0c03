/** The .docx templates of apps that write reports. A new one is a new version; the newest is the one in use. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { ReportTemplate } from "./rows.ts"
import type { StorageError } from "./StorageError.ts"

export interface ReportStore {
  readonly latest: (flowId: string) => Effect.Effect<Option.Option<ReportTemplate>, StorageError>
  /** Its version is one above the newest, however many are added at once. */
  readonly add: (
    template: Omit<ReportTemplate, "version" | "create_time">
  ) => Effect.Effect<ReportTemplate, StorageError>
  /** All versions of an app; answers what they were, newest first. */
  readonly remove: (flowId: string) => Effect.Effect<ReadonlyArray<ReportTemplate>, StorageError>
}

export class Reports extends Context.Tag("colloquy/storage/Reports")<Reports, ReportStore>() {}

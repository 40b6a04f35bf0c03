/** Fills a .docx template and stores the document; what a workflow's report node needs. */
import type * as Effect from "effect/Effect"
import type { RunFailed } from "../../protocol/errors.ts"

export interface ReportRequest {
  /** The template's key as the graph has it; "" where it names none: the default template. */
  readonly templateKey: string
  readonly flowId: string
  readonly userId: number
  /** With ".docx". */
  readonly fileName: string
  /** Every variable of the run, by `node.key`. */
  readonly values: Readonly<Record<string, string>>
  /** What the run's nodes have written, in order, under the nodes' names: for a template that names no variable. */
  readonly sections: ReadonlyArray<{ readonly title: string; readonly text: string }>
}

export interface MadeReport {
  readonly name: string
  /** Signed, expiring. */
  readonly url: string
  /** The template's variables that nothing filled. */
  readonly unfilled: ReadonlyArray<string>
}

export interface ReportMaker {
  readonly make: (request: ReportRequest) => Effect.Effect<MadeReport, RunFailed>
}

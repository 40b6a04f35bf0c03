/**
 * What a session can be asked to do. One entry an action: how its question reads, and how it becomes a Stream
 * of events. Adding an action is adding a file that makes such a value and an entry here, or a layer that adds
 * it to these (docs/extending.md).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { App } from "../app/App.ts"
import { makeQuestionFile } from "../app/questionFile.ts"
import { ReportMaker } from "../app/report/ReportMaker.ts"
import { Documents } from "../knowledge/Documents.ts"
import type { RunFailed } from "../protocol/errors.ts"
import type { Deltas, RunEvent } from "../protocol/RunEvent.ts"
import type { ChatMessage } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { answerQuestion } from "./answerQuestion.ts"
import { batch, makeBatch } from "./batch.ts"
import type { Journal, Memory } from "./Journal.ts"
import { makeReport } from "./report.ts"
import { startWorkflow } from "./startWorkflow.ts"

export interface RunRequest {
  readonly runId: string
  /** "" in debug mode. */
  readonly chatId: string
  readonly app: App
  readonly text: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly userId: number
  readonly journal: Journal
  /** What the model is reminded of. */
  readonly memory: Memory
  /** Whether all of these files are there, and the asker's to read. */
  readonly mayRead: (fileIds: ReadonlyArray<string>) => Effect.Effect<boolean, StorageError>
  /** What is stored of this very run: nothing, unless it goes on where it broke off. */
  readonly past: Effect.Effect<ReadonlyArray<ChatMessage>, StorageError>
}

export interface Action {
  /** What is stored and shown as the question; null: the inputs do not make one. */
  readonly question: (inputs: Readonly<Record<string, unknown>>, app: App) => string | null
  /** Starts without a question: none is shown or stored as one. */
  readonly silent?: boolean
  /**
   * What its run begins with, and may do before the question is accepted: it reads `memory`; or it reads, and asks its app,
   * and changes nothing itself before the app's first event.
   */
  readonly beginsWith?: "memory" | "app"
  /** A run that broke off goes on when its question is sent again. */
  readonly continues?: boolean
  /** One run. Its interruption is what a stop is. */
  readonly run: (request: RunRequest) => Stream.Stream<RunEvent, RunFailed | StorageError, Deltas>
}

/** By the name that clients say in `action`. "default" serves payloads that name none. */
export interface ActionTable {
  readonly default: Action
  readonly [name: string]: Action
}

export class Actions extends Context.Tag("colloquy/Actions")<Actions, ActionTable>() {
  /** Those that need nothing but the app. */
  static readonly table: ActionTable = { default: answerQuestion, workflow: startWorkflow, auto_file: batch }
  static readonly Live = Layer.effect(
    Actions,
    Effect.gen(function* () {
      const questionFile = makeQuestionFile(yield* Documents)
      return {
        ...Actions.table,
        auto_file: makeBatch(questionFile),
        report: makeReport(yield* ReportMaker)
      }
    })
  )
}

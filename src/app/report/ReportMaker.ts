/** Makes the document of an app that writes reports: its newest template filled, kept as a file, linked. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { safeFileName } from "../../knowledge/fileName.ts"
import { FileLinks } from "../../knowledge/links.ts"
import { Uploads } from "../../knowledge/Uploads.ts"
import { RunFailed } from "../../protocol/errors.ts"
import type { FileMade } from "../../protocol/RunEvent.ts"
import { Reports } from "../../storage/Reports.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { defaultTemplate } from "./defaultTemplate.ts"
import { fillTemplate } from "./fillTemplate.ts"

export interface ReportContent {
  readonly flowId: string
  readonly userId: number
  /** "" in debug mode. */
  readonly chatId: string
  /** With or without ".docx". */
  readonly name: string
  /** By the names that a template may use. */
  readonly values: Readonly<Record<string, string>>
  /** For templates that go through all sections: `{{#sections}}{{section}} {{text}}{{/sections}}`. */
  readonly sections: ReadonlyArray<{ readonly title: string; readonly text: string }>
}

export interface ReportMakerService {
  readonly make: (content: ReportContent) => Effect.Effect<Omit<FileMade, "_tag">, RunFailed>
}

export class ReportMaker extends Context.Tag("colloquy/ReportMaker")<ReportMaker, ReportMakerService>() {}

/** Documents filled at the same moment: each has a thread, and memory, of its own. */
const together = 2

export const docxMediaType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

const failed = (reason: string) => new RunFailed({ reason, kind: "skill" })

export const reportFileName = (name: string): string =>
  safeFileName(`${name.replace(/\.docx$/i, "").trim() || "report"}.docx`).replace(/[<>:"|?*]/g, "_")

export const layer: Layer.Layer<ReportMaker, never, Reports | Uploads | FileLinks> = Layer.effect(
  ReportMaker,
  Effect.gen(function* () {
    const reports = yield* Reports
    const uploads = yield* Uploads
    const links = yield* FileLinks
    const room = yield* Effect.makeSemaphore(together)

    const unreadable = (error: StorageError) =>
      Effect.zipRight(
        Effect.logWarning("a report's template cannot be read", error),
        failed("the app's report template cannot be read; upload it again")
      )

    const templateOf = (flowId: string): Effect.Effect<Uint8Array, RunFailed> =>
      reports.latest(flowId).pipe(
        Effect.flatMap(
          Option.match({
            onNone: () => Effect.promise(defaultTemplate),
            onSome: ({ file_id }) =>
              Effect.map(
                Stream.runCollect(uploads.read(file_id)),
                (chunks) => new Uint8Array(Buffer.concat([...chunks]))
              )
          })
        ),
        Effect.catchAll(unreadable)
      )

    return ReportMaker.of({
      make: ({ flowId, userId, chatId, name: given, values, sections }) =>
        Effect.gen(function* () {
          const name = reportFileName(given)
          const template = yield* templateOf(flowId)
          const today = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10)
          const { bytes, unfilled } = yield* room.withPermits(1)(
            fillTemplate({
              template,
              values: { title: name.replace(/\.docx$/, ""), date: today, ...values },
              lists: { sections: sections.map(({ title, text }) => ({ section: title, title, text })) }
            })
          )
          const file = yield* uploads.saveMade({
            flowId,
            userId,
            chatId,
            name,
            mediaType: docxMediaType,
            bytes
          })
          const { url } = yield* links.sign(file.id)
          return { name, url, unfilled }
        }).pipe(
          Effect.catchTags({
            TemplateRefused: ({ reason }) => failed(reason),
            QuotaExceeded: ({ reason }) => failed(reason),
            StorageError: (error) =>
              Effect.zipRight(
                Effect.logError("a report cannot be stored", error),
                failed("the report could not be stored; try again")
              )
          })
        )
    })
  })
)

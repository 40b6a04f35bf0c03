/** Documents from the uploaded files and from the web; see `Documents.ts` for what is promised. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Settings } from "../config.ts"
import { Asker } from "../model/Asker.ts"
import { Files } from "../storage/Files.ts"
import type { Flows } from "../storage/Flows.ts"
import type { Users } from "../storage/Users.ts"
import { type Doc, DocumentFailed, Documents } from "./Documents.ts"
import type { Part } from "./parse/Parsed.ts"
import { partsOfText } from "./parse/text.ts"
import * as Reader from "./Reader.ts"
import { readableFiles } from "./sources.ts"
import { storedPath } from "./stored.ts"
import { fetchPage } from "./web/fetchPage.ts"

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const files = yield* Files
  const reader = yield* Reader.Reader

  const stores = yield* Effect.context<Files | Flows | Users>()

  /** Somebody else's file is as good as none. */
  const mayOpen = (fileId: string) =>
    Effect.gen(function* () {
      const { userId } = yield* Asker
      if (userId === null) return true
      return (yield* readableFiles([fileId], userId)).has(fileId)
    }).pipe(
      Effect.provide(stores),
      Effect.catchAll((error) =>
        Effect.zipRight(
          Effect.logWarning("the rights to a file cannot be read", error.cause),
          fail("The file cannot be read now. Try again later.")
        )
      )
    )

  return Documents.of({
    load: (fileId) =>
      Effect.gen(function* () {
        const record = yield* files
          .get(fileId)
          .pipe(
            Effect.catchAll((error) =>
              Effect.logWarning("the record of a file cannot be read").pipe(
                Effect.annotateLogs({ file: fileId, operation: error.operation, cause: error.cause }),
                Effect.zipRight(fail("The file cannot be read now. Try again later."))
              )
            )
          )
        if (Option.isNone(record) || !(yield* mayOpen(fileId))) return yield* fail(gone)
        const { id, name } = record.value
        const { cut, parts } = yield* reader.read({ id, name, path: storedPath(settings, id) })
        if (cut !== null) return yield* fail(`"${name}" ${cut}. Split it into smaller files.`)
        return parts.map(docOf({ fileId: id, fileName: name, url: null }))
      }),
    fetch: (url) =>
      fetchPage(url, { hosts: settings.webHosts, timeout: settings.documentTimeout }).pipe(
        Effect.flatMap(({ kind, text, url: at }) => {
          const limits = { maxPages: settings.maxDocumentPages, maxChars: Reader.maxDocumentChars }
          const { parts } = partsOfText(text, kind, limits)
          const source = { fileId: "", fileName: at.host + at.pathname, url: at.href }
          return parts.length === 0
            ? fail(`The page ${at.href} has no text in it.`)
            : Effect.succeed(parts.map(docOf(source)))
        })
      )
  })
})

export const layer: Layer.Layer<Documents, never, Files | Flows | Users | Settings | FileSystem.FileSystem> =
  Layer.effect(Documents, make).pipe(Layer.provide(Reader.layer))

const gone = "There is no such file any more. Upload it again."

const fail = (reason: string) => Effect.fail(new DocumentFailed({ reason }))

const docOf =
  (source: Pick<Doc, "fileId" | "fileName" | "url">) =>
  (part: Part): Doc => ({ ...source, ...part })

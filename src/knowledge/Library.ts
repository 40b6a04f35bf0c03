/**
 * The documents that may be searched for an app and a user, see `model/Library.ts` for what is promised.
 *
 * Which files those are is asked of the database at every search; an index belongs to exactly one set of files.
 * So an upload or a removal is seen by the next search, on every server, and nothing has to be told to forget.
 */
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cache from "effect/Cache"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Settings } from "../config.ts"
import { Library, type LibraryService } from "../model/Library.ts"
import { Files } from "../storage/Files.ts"
import { Flows } from "../storage/Flows.ts"
import { chunksOf } from "./chunks.ts"
import { fileTypeOf } from "./fileTypes.ts"
import { textOfHtml } from "./html.ts"
import { buildIndex, type IndexedPassage } from "./SearchIndex.ts"
import { storedPath } from "./stored.ts"

/** Indexes kept, and for how long one serves before it is built anew. */
const maxIndexes = 16
const keepIndex = "15 minutes"
/** Text of one index; what is beyond is left out, and the log says so. */
const maxIndexChars = 4 * 1024 * 1024

/** Above `src/knowledge/` and `dist/knowledge/` alike. */
const packageRoot = fileURLToPath(new URL("../../", import.meta.url))

interface SourceFile {
  readonly id: string
  readonly name: string
  readonly path: string
}

/** A set of files, equal to another one of the same ids. */
class FileSet implements Equal.Equal {
  readonly files: ReadonlyArray<SourceFile>
  readonly #ids: string
  constructor(files: ReadonlyArray<SourceFile>) {
    this.files = files
    this.#ids = files.map((file) => file.id).join()
  }
  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof FileSet && this.#ids === that.#ids
  }
  [Hash.symbol](): number {
    return Hash.string(this.#ids)
  }
}

export interface LibraryOptions {
  /** Where the product's own documentation lies: its README.md, README.<language>.md and docs/*.md. */
  readonly documentation: string
}

const make = (options: LibraryOptions) =>
  Effect.gen(function* () {
    const settings = yield* Settings
    const records = yield* Files
    const flows = yield* Flows
    const fs = yield* FileSystem.FileSystem
    const scope = yield* Effect.scope
    const oneAtATime = yield* Effect.makeSemaphore(1)

    const documentation = Effect.gen(function* () {
      const docs = yield* fs
        .readDirectory(NodePath.join(options.documentation, "docs"))
        .pipe(Effect.orElseSucceed(() => []))
      const names = [
        "README.md",
        ...docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)
      ]
      return names
        .sort()
        .map((name) => ({ id: name, name, path: NodePath.join(options.documentation, name) }))
    })

    const filesFor = (flowId: string, userId: number) =>
      Effect.gen(function* () {
        const flow = yield* flows.get(flowId)
        const owner = Option.match(flow, { onNone: () => [], onSome: (it) => [it.user_id] })
        const uploaded = yield* records.ofFlow(flowId, [...new Set([...owner, userId])])
        return uploaded.map(({ id, name }) => ({ id, name, path: storedPath(settings, id) }))
      })

    const passagesOf = (file: SourceFile, room: number) =>
      fs.readFileString(file.path).pipe(
        Effect.tap((text) =>
          text.length > room
            ? Effect.logWarning("only the beginning of this file is searched: it is too long").pipe(
                Effect.annotateLogs({ file: file.id })
              )
            : Effect.void
        ),
        Effect.map((text) => {
          const kind = fileTypeOf(file.name)?.kind ?? "text"
          const kept = text.replace(/^\ufeff/, "").slice(0, room)
          const chunks = kind === "html" ? chunksOf(textOfHtml(kept), "markdown") : chunksOf(kept, kind)
          return chunks.map((chunk): IndexedPassage => ({ ...chunk, fileId: file.id, fileName: file.name }))
        })
      )

    const build = (set: FileSet) =>
      Effect.gen(function* () {
        const passages: Array<IndexedPassage> = []
        let room = maxIndexChars
        for (const file of set.files) {
          if (room <= 0) {
            yield* Effect.logWarning("file left out of the search: the app has too many").pipe(
              Effect.annotateLogs({ file: file.id })
            )
            continue
          }
          const found = yield* passagesOf(file, room).pipe(
            Effect.catchAll((error) =>
              Effect.logWarning("file left out of the search: it cannot be read").pipe(
                Effect.annotateLogs({ file: file.id, error: error.message }),
                Effect.as([])
              )
            )
          )
          for (const passage of found) {
            room -= passage.text.length
            passages.push(passage)
          }
        }
        return yield* buildIndex(passages)
      }).pipe(oneAtATime.withPermits(1))

    const indexes = yield* Cache.make({ capacity: maxIndexes, timeToLive: keepIndex, lookup: build })

    // Many may wait for one index. The build is nobody's own, so that who stops waiting does not stop it.
    const indexOf = (set: FileSet) => indexes.get(set).pipe(Effect.forkIn(scope), Effect.flatMap(Fiber.join))

    const search: LibraryService["search"] = ({ text, flowId, userId, limit }) =>
      Effect.gen(function* () {
        const uploaded = yield* filesFor(flowId, userId)
        const index = yield* indexOf(new FileSet(uploaded.length === 0 ? yield* documentation : uploaded))
        return index.search(text, limit).map(({ passage, score }) => ({
          text: passage.text,
          fileId: passage.fileId,
          fileName: passage.fileName,
          page: null,
          score
        }))
      }).pipe(
        Effect.catchAll((error) =>
          Effect.logWarning("the documents cannot be searched").pipe(
            Effect.annotateLogs({ operation: error.operation, cause: error.cause }),
            Effect.as([])
          )
        )
      )

    return Library.of({ search })
  })

export const layerWith = (
  options: LibraryOptions
): Layer.Layer<Library, never, Files | Flows | Settings | FileSystem.FileSystem> =>
  Layer.scoped(Library, make(options))

export const layer = layerWith({ documentation: packageRoot })

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
import { Asker } from "../model/Asker.ts"
import { Library, type LibraryService } from "../model/Library.ts"
import { packageRoot } from "../packageRoot.ts"
import { Files } from "../storage/Files.ts"
import { Flows } from "../storage/Flows.ts"
import { chunksOf } from "./chunks.ts"
import { fileTypeOf } from "./fileTypes.ts"
import * as Reader from "./Reader.ts"
import { buildIndex, type IndexedPassage } from "./SearchIndex.ts"
import { storedPath } from "./stored.ts"

/** Indexes kept, and for how long one serves before it is built anew. */
const maxIndexes = 16
const keepIndex = "15 minutes"
/** Text of one index; what is beyond is left out, and the log says so. */
const maxIndexChars = 4 * 1024 * 1024

type SourceFile = Reader.SourceFile

interface PagedPassage extends IndexedPassage {
  readonly page: number | null
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
    const reader = yield* Reader.Reader
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
        const { chatId } = yield* Asker
        const uploaded = yield* records.ofFlow(flowId, [...new Set([...owner, userId])], chatId)
        return uploaded.map(({ id, name }) => ({ id, name, path: storedPath(settings, id) }))
      })

    const passagesOf = (file: SourceFile, room: number) =>
      reader.read(file).pipe(
        Effect.flatMap(({ cut, parts }) => {
          const kind = fileTypeOf(file.name)?.kind
          const marked = kind === "markdown" || kind === "html" || kind === "docx" ? "markdown" : "text"
          const passages: Array<PagedPassage> = []
          let left = room
          for (const part of parts) {
            if (left <= 0) break
            for (const chunk of chunksOf(part.text.slice(0, left), marked)) {
              const heading = part.heading === "" ? chunk.heading : part.heading
              passages.push({
                text: chunk.text,
                heading,
                page: part.page,
                fileId: file.id,
                fileName: file.name
              })
            }
            left -= part.text.length
          }
          return cut === null && left >= 0
            ? Effect.succeed(passages)
            : Effect.logWarning("only the beginning of this file is searched: it is too long").pipe(
                Effect.annotateLogs({ file: file.id }),
                Effect.as(passages)
              )
        })
      )

    const build = (set: FileSet) =>
      Effect.gen(function* () {
        const passages: Array<PagedPassage> = []
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
                Effect.annotateLogs({ file: file.id, reason: error.reason }),
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
          page: passage.page,
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
  Layer.scoped(Library, make(options)).pipe(Layer.provide(Reader.layer))

export const layer = layerWith({ documentation: fileURLToPath(packageRoot) })

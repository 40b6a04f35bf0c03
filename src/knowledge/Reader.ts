/**
 * Reads stored files of every kind. Whoever needs a document's text comes here, so that a file is parsed once.
 *
 * Promises: at most two files are parsed at a time, none for longer than `documentTimeout`; what was read is
 * kept for a while, bounded in characters; who stops waiting does not take the result from others.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import { Settings } from "../config.ts"
import { DocumentFailed } from "./Documents.ts"
import { fileTypeOf } from "./fileTypes.ts"
import { inWorker } from "./parse/inWorker.ts"
import type { Parsed, ParseJob } from "./parse/Parsed.ts"
import { Unreadable } from "./parse/Parsed.ts"
import { parse } from "./parse/parse.ts"

export interface SourceFile {
  /** Another file, or other content, has another id. */
  readonly id: string
  readonly name: string
  readonly path: string
}

export interface ReaderService {
  /** Never empty. Fails in words for the user, which name the file. */
  readonly read: (file: SourceFile) => Effect.Effect<Parsed, DocumentFailed>
}

export class Reader extends Context.Tag("colloquy/knowledge/Reader")<Reader, ReaderService>() {}

export const maxDocumentChars = 4_000_000
const atATime = 2
const maxKept = 64
const maxKeptChars = 16_000_000
const keep = Duration.minutes(15)
/** A file that cannot be read is not tried again at once. */
const keepFailure = Duration.seconds(10)
/** Text up to so many bytes takes less time to parse than a thread takes to start. */
const smallBytes = 256 * 1024

class Key implements Equal.Equal {
  readonly file: SourceFile
  constructor(file: SourceFile) {
    this.file = file
  }
  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof Key && that.file.id === this.file.id && that.file.path === this.file.path
  }
  [Hash.symbol](): number {
    return Hash.string(this.file.id)
  }
}

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const fs = yield* FileSystem.FileSystem
  const scope = yield* Effect.scope
  const turns = yield* Effect.makeSemaphore(atATime)

  const parsed = ({ name, path }: SourceFile): Effect.Effect<Parsed, DocumentFailed> =>
    Effect.gen(function* () {
      const type = fileTypeOf(name)
      if (type === undefined) return yield* failed(name, "is of a kind that cannot be read.")
      const info = yield* fs
        .stat(path)
        .pipe(Effect.mapError(() => failed(name, "is not there any more. Upload it again.")))
      const limits = { maxPages: settings.maxDocumentPages, maxChars: maxDocumentChars }
      const job: ParseJob = { path, kind: type.kind, ...limits }
      const isText = type.kind !== "pdf" && type.kind !== "docx" && type.kind !== "xlsx"
      return yield* (isText && Number(info.size) <= smallBytes ? here(fs, job) : inWorker(job)).pipe(
        Effect.mapError((error) => failed(name, error.message)),
        Effect.timeoutFail({
          duration: settings.documentTimeout,
          onTimeout: () => {
            const limit = Duration.format(settings.documentTimeout)
            return failed(name, `takes longer than ${limit} to read. Split it into smaller files.`)
          }
        })
      )
    })

  const sizes = new Map<Key, number>()
  const cache: Cache.Cache<Key, Parsed, DocumentFailed> = yield* Cache.makeWith({
    capacity: maxKept,
    timeToLive: (exit) => (Exit.isSuccess(exit) ? keep : keepFailure),
    lookup: (key: Key) =>
      parsed(key.file).pipe(
        Effect.tap((it) =>
          makeRoom(
            key,
            it.parts.reduce((sum, part) => sum + part.text.length, 0)
          )
        ),
        turns.withPermits(1)
      )
  })

  const makeRoom = (key: Key, chars: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      sizes.delete(key)
      sizes.set(key, chars)
      let total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
      for (const [oldest, size] of [...sizes]) {
        if (sizes.size <= maxKept && total <= maxKeptChars) return
        if (oldest === key) continue
        sizes.delete(oldest)
        total -= size
        yield* cache.invalidate(oldest)
      }
    })

  return Reader.of({
    read: (file) => cache.get(new Key(file)).pipe(Effect.forkIn(scope), Effect.flatMap(Fiber.join))
  })
})

export const layer: Layer.Layer<Reader, never, Settings | FileSystem.FileSystem> = Layer.scoped(Reader, make)

const failed = (name: string, what: string) => new DocumentFailed({ reason: `"${name}" ${what}` })

const here = (fs: FileSystem.FileSystem, job: ParseJob): Effect.Effect<Parsed, Unreadable> =>
  fs.readFile(job.path).pipe(
    Effect.mapError(() => new Unreadable("cannot be read from the disk. Try again later.")),
    Effect.flatMap((bytes) =>
      Effect.tryPromise({
        try: () => parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), job),
        catch: (error) =>
          error instanceof Unreadable
            ? error
            : new Unreadable("is damaged. Save it anew and upload it again.")
      })
    )
  )

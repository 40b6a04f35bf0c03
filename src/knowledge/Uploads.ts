/**
 * Takes uploaded files in and keeps their bytes.
 *
 * Promises: a file is never whole in memory; what is refused, fails or is interrupted leaves nothing behind; a
 * record exists only for bytes that are on disk. Who may upload or remove is the caller's business.
 */
import { randomBytes } from "node:crypto"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Settings } from "../config.ts"
import { Files } from "../storage/Files.ts"
import type { StoredFile } from "../storage/rows.ts"
import { StorageError } from "../storage/StorageError.ts"
import { safeFileName } from "./fileName.ts"
import { acceptedFiles, fileTypeOf } from "./fileTypes.ts"
import { filesDirectory, storedPath } from "./stored.ts"

export class UploadTooLarge extends Schema.TaggedError<UploadTooLarge>()("UploadTooLarge", {
  limitBytes: Schema.Int
}) {}

/** `reason` tells the user what is wrong with the file and what is accepted. */
export class UnsupportedFile extends Schema.TaggedError<UnsupportedFile>()("UnsupportedFile", {
  name: Schema.String,
  reason: Schema.String
}) {}

export interface Upload<E, R> {
  readonly flowId: string
  readonly userId: number
  /** As the client named it; kept without path parts and control characters, at most 255 bytes. */
  readonly name: string
  readonly content: Stream.Stream<Uint8Array, E, R>
}

export interface UploadsService {
  readonly save: <E, R>(
    upload: Upload<E, R>
  ) => Effect.Effect<StoredFile, UploadTooLarge | UnsupportedFile | StorageError | E, R>
  /** False when there was no such file. */
  readonly remove: (id: string) => Effect.Effect<boolean, StorageError>
  /** The bytes of a stored file. */
  readonly read: (id: string) => Stream.Stream<Uint8Array, StorageError>
}

export class Uploads extends Context.Tag("colloquy/Uploads")<Uploads, UploadsService>() {}

export const layer: Layer.Layer<Uploads, StorageError, Files | Settings | FileSystem.FileSystem> =
  Layer.effect(
    Uploads,
    Effect.gen(function* () {
      const settings = yield* Settings
      const records = yield* Files
      const fs = yield* FileSystem.FileSystem
      yield* fs
        .makeDirectory(filesDirectory(settings), { recursive: true })
        .pipe(Effect.mapError(failedTo("make the files directory")))

      const write = <E, R>(path: string, name: string, content: Stream.Stream<Uint8Array, E, R>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const file = yield* fs.open(path, { flag: "wx" }).pipe(Effect.mapError(failedTo("open the file")))
            const check = textCheck(name, settings.maxUploadBytes)
            yield* Stream.runForEach(content, (chunk) =>
              Effect.zipRight(
                check.chunk(chunk),
                chunk.byteLength === 0
                  ? Effect.void
                  : file.writeAll(chunk).pipe(Effect.mapError(failedTo("write the file")))
              )
            )
            const bytes = yield* check.end
            yield* file.sync.pipe(Effect.mapError(failedTo("write the file")))
            return bytes
          })
        )

      return Uploads.of({
        save: ({ flowId, userId, name: given, content }) =>
          Effect.gen(function* () {
            const name = safeFileName(given)
            const type = fileTypeOf(name)
            if (type === undefined) {
              return yield* new UnsupportedFile({
                name,
                reason: `"${name}" cannot be read. ${acceptedFiles}`
              })
            }
            const id = yield* Effect.sync(() => randomBytes(16).toString("hex"))
            const path = storedPath(settings, id)
            const discard = fs.remove(path, { force: true }).pipe(Effect.ignore)
            // Once the bytes are there, the record follows: an interruption between the two would part them.
            return yield* Effect.uninterruptibleMask((restore) =>
              restore(write(path, name, content)).pipe(
                Effect.flatMap((bytes) =>
                  records.add({
                    id,
                    flow_id: flowId,
                    user_id: userId,
                    name,
                    media_type: type.mediaType,
                    bytes
                  })
                ),
                Effect.onError(() => discard)
              )
            )
          }),
        remove: (id) =>
          records
            .remove(id)
            .pipe(
              Effect.tap((removed) =>
                removed
                  ? fs
                      .remove(storedPath(settings, id), { force: true })
                      .pipe(Effect.mapError(failedTo("remove the file")))
                  : Effect.void
              )
            ),
        read: (id) => fs.stream(storedPath(settings, id)).pipe(Stream.mapError(failedTo("read the file")))
      })
    })
  )

const failedTo = (operation: string) => (cause: unknown) => new StorageError({ operation, cause })

/** Counts the bytes and holds them to be UTF-8 text while they pass. */
const textCheck = (name: string, limitBytes: number) => {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  let bytes = 0
  const unsupported = (what: string) =>
    new UnsupportedFile({ name, reason: `"${name}" ${what}. ${acceptedFiles}` })
  const decode = (chunk: Uint8Array | undefined) =>
    Effect.try({
      try: () => {
        decoder.decode(chunk, { stream: chunk !== undefined })
      },
      catch: () => unsupported("is not text in UTF-8")
    })
  return {
    chunk: (chunk: Uint8Array): Effect.Effect<void, UploadTooLarge | UnsupportedFile> =>
      Effect.suspend((): Effect.Effect<void, UploadTooLarge | UnsupportedFile> => {
        bytes += chunk.byteLength
        if (bytes > limitBytes) return Effect.fail(new UploadTooLarge({ limitBytes }))
        return chunk.includes(0) ? Effect.fail(unsupported("is a binary file")) : decode(chunk)
      }),
    end: Effect.suspend(() =>
      bytes === 0 ? Effect.fail(unsupported("is empty")) : Effect.as(decode(undefined), bytes)
    )
  }
}

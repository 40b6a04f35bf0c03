/**
 * Files that people give and that are made for them: bytes under the data directory, records in the database.
 *
 * Promises: a file is there whole or not at all; it streams to disk and is never whole in memory; it is what its
 * name says; sizes, numbers and what one user keeps are bounded.
 */
import { randomBytes } from "node:crypto"
import * as NodePath from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Settings } from "../config.ts"
import { Files, type NewFile } from "../storage/Files.ts"
import type { StoredFile } from "../storage/rows.ts"
import { StorageError } from "../storage/StorageError.ts"
import { contentCheck } from "./contentCheck.ts"
import { safeFileName } from "./fileName.ts"
import { acceptedFiles, type FileType, fileTypeOf } from "./fileTypes.ts"
import { makeTurnstile, noRoom, type Quota, roomFor, usualQuota } from "./quota.ts"
import { type QuotaExceeded, UnsupportedFile, UploadTooLarge } from "./refusals.ts"
import { filesDirectory, incomingDirectory, incomingPath, storedPath } from "./stored.ts"

export interface Upload<E, R> {
  readonly flowId: string
  readonly userId: number
  /** As the client named it; kept without path parts and control characters, at most 255 bytes. */
  readonly name: string
  readonly content: Stream.Stream<Uint8Array, E, R>
  /** The chat it belongs to, "" for none. Asked when the content is there: a form may say it after the file. */
  readonly chatId?: Effect.Effect<string, E, R>
  /** A template must be a .docx file. Absent: a document. */
  readonly purpose?: "document" | "template"
}

/** A file that the server made for a user. */
export interface MadeFile {
  readonly flowId: string
  readonly userId: number
  readonly chatId: string
  readonly name: string
  readonly mediaType: string
  readonly bytes: Uint8Array
}

export interface UploadsService {
  readonly save: <E, R>(
    upload: Upload<E, R>
  ) => Effect.Effect<StoredFile, UploadTooLarge | UnsupportedFile | QuotaExceeded | StorageError | E, R>
  /** It counts among what its user keeps, and goes with its chat. */
  readonly saveMade: (file: MadeFile) => Effect.Effect<StoredFile, QuotaExceeded | StorageError>
  /** A file's record, where its bytes are there too. */
  readonly find: (id: string) => Effect.Effect<Option.Option<StoredFile>, StorageError>
  /** False when there was no such file. */
  readonly remove: (id: string) => Effect.Effect<boolean, StorageError>
  /** What this user gave to a chat, and what was made for them in it; answers how many files. */
  readonly removeOfChat: (chatId: string, userId: number) => Effect.Effect<number, StorageError>
  /** The bytes of a stored file. */
  readonly read: (id: string) => Stream.Stream<Uint8Array, StorageError>
}

export class Uploads extends Context.Tag("colloquy/Uploads")<Uploads, UploadsService>() {}

/** What a process that died left behind is no upload any more. */
const staleAfter = Duration.hours(24)

type Requirements = Files | Settings | FileSystem.FileSystem

export const layerWith = (quota: Quota): Layer.Layer<Uploads, StorageError, Requirements> =>
  Layer.effect(
    Uploads,
    Effect.gen(function* () {
      const settings = yield* Settings
      const records = yield* Files
      const fs = yield* FileSystem.FileSystem
      const turnstile = yield* makeTurnstile(quota)
      const oneByOne = yield* Effect.makeSemaphore(1)
      yield* Effect.forEach([filesDirectory(settings), incomingDirectory(settings)], (directory) =>
        fs
          .makeDirectory(directory, { recursive: true })
          .pipe(Effect.mapError(failedTo("make the files directory")))
      )
      yield* removeStale(fs, incomingDirectory(settings))

      const room = (userId: number) => Effect.flatMap(records.usage(userId), (usage) => roomFor(quota, usage))

      /** Streams to the path as long as the content is what it should be; answers its size. */
      const receive = <E, R>(
        path: string,
        name: string,
        kind: FileType["kind"],
        { content }: Upload<E, R>,
        space: number
      ) =>
        Effect.scoped(
          Effect.gen(function* () {
            const file = yield* fs
              .open(path, { flag: "wx", mode: 0o600 })
              .pipe(Effect.mapError(failedTo("open the file")))
            const check = contentCheck(name, kind)
            const limitBytes = settings.maxUploadBytes
            let bytes = 0
            yield* Stream.runForEach(content, (chunk) =>
              Effect.gen(function* () {
                bytes += chunk.byteLength
                if (bytes > limitBytes) return yield* new UploadTooLarge({ limitBytes })
                if (bytes > space) return yield* noRoom(quota)
                if (chunk.byteLength === 0) return
                yield* check.chunk(chunk)
                yield* file.writeAll(chunk).pipe(Effect.mapError(failedTo("write the file")))
              })
            )
            if (bytes === 0) {
              return yield* new UnsupportedFile({ name, reason: `"${name}" is empty. ${acceptedFiles}` })
            }
            yield* file.sync.pipe(Effect.mapError(failedTo("write the file")))
            yield* check.end(path)
            return bytes
          })
        )

      /** Moves what has come in to its place and writes its record: both or neither, one after another. */
      const keep = (file: NewFile) =>
        Effect.gen(function* () {
          const left = yield* room(file.user_id)
          if (file.bytes > left) return yield* noRoom(quota)
          yield* fs
            .rename(incomingPath(settings, file.id), storedPath(settings, file.id))
            .pipe(Effect.mapError(failedTo("move the file")))
          return yield* records.add(file)
        }).pipe(oneByOne.withPermits(1))

      /** What is written by `write` under a new id, kept as a file; nothing stays of what fails or is broken off. */
      const store = <E, R>(
        write: (path: string) => Effect.Effect<Omit<NewFile, "id">, E, R>
      ): Effect.Effect<StoredFile, E | QuotaExceeded | StorageError, R> =>
        Effect.gen(function* () {
          const id = yield* Effect.sync(() => randomBytes(16).toString("hex"))
          const discard = Effect.forEach(
            [incomingPath(settings, id), storedPath(settings, id)],
            (path) => Effect.ignore(fs.remove(path, { force: true })),
            { discard: true }
          )
          // Once the bytes are there, the record follows: an interruption between the two would part them.
          return yield* Effect.uninterruptibleMask((restore) =>
            restore(write(incomingPath(settings, id))).pipe(
              Effect.flatMap((file) => keep({ ...file, id })),
              Effect.onError(() => discard)
            )
          )
        })

      const remove = (id: string) =>
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
          )

      return Uploads.of({
        save: (upload) =>
          turnstile(
            upload.userId,
            Effect.gen(function* () {
              const space = yield* room(upload.userId)
              const name = safeFileName(upload.name)
              const { kind, mediaType } = yield* typeOf(name, upload.purpose ?? "document")
              return yield* store((path) =>
                Effect.gen(function* () {
                  const bytes = yield* receive(path, name, kind, upload, space)
                  return {
                    flow_id: upload.flowId,
                    user_id: upload.userId,
                    chat_id: upload.chatId === undefined ? "" : yield* upload.chatId,
                    purpose: upload.purpose ?? "document",
                    name,
                    media_type: mediaType,
                    bytes
                  }
                })
              )
            })
          ),

        saveMade: ({ flowId, userId, chatId, name, mediaType, bytes }) =>
          store((path) =>
            fs.writeFile(path, bytes, { flag: "wx", mode: 0o600 }).pipe(
              Effect.mapError(failedTo("write the file")),
              Effect.as({
                flow_id: flowId,
                user_id: userId,
                chat_id: chatId,
                purpose: "made" as const,
                name: safeFileName(name),
                media_type: mediaType,
                bytes: bytes.byteLength
              })
            )
          ),

        find: (id) =>
          Effect.gen(function* () {
            const record = yield* records.get(id)
            if (Option.isNone(record)) return record
            const isThere = yield* fs
              .exists(storedPath(settings, id))
              .pipe(Effect.mapError(failedTo("find the file")))
            return isThere ? record : Option.none()
          }),

        remove,

        removeOfChat: (chatId, userId) =>
          Effect.gen(function* () {
            const files = yield* records.ofChat(chatId, userId)
            yield* Effect.forEach(files, (file) => remove(file.id), { discard: true })
            return files.length
          }),

        read: (id) => fs.stream(storedPath(settings, id)).pipe(Stream.mapError(failedTo("read the file")))
      })
    })
  )

export const layer = layerWith(usualQuota)

const failedTo = (operation: string) => (cause: unknown) => new StorageError({ operation, cause })

const typeOf = (name: string, purpose: "document" | "template") => {
  const type = fileTypeOf(name)
  if (type !== undefined && (purpose === "document" || type.kind === "docx")) return Effect.succeed(type)
  const reason =
    purpose === "template"
      ? `"${name}" cannot be a template: send a Word document (.docx)`
      : `"${name}" cannot be read. ${acceptedFiles}`
  return Effect.fail(new UnsupportedFile({ name, reason }))
}

/** Nothing that cannot be removed keeps the server from starting. */
const removeStale = (fs: FileSystem.FileSystem, directory: string) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const names = yield* fs.readDirectory(directory)
    yield* Effect.forEach(
      names.map((name) => NodePath.join(directory, name)),
      (path) =>
        Effect.gen(function* () {
          const { mtime } = yield* fs.stat(path)
          const isStale = Option.exists(mtime, (at) => now - at.getTime() > Duration.toMillis(staleAfter))
          if (isStale) yield* fs.remove(path, { force: true })
        }).pipe(Effect.ignore),
      { discard: true }
    )
  }).pipe(Effect.ignore)

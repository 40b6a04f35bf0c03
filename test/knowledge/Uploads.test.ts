import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Settings } from "../../src/config.ts"
import { safeFileName } from "../../src/knowledge/fileName.ts"
import { filesDirectory, incomingDirectory } from "../../src/knowledge/stored.ts"
import { Uploads } from "../../src/knowledge/Uploads.ts"
import { Files } from "../../src/storage/Files.ts"
import { flowA, knowledge, owner, upload } from "./fixtures.ts"

/** Everything that is kept: names on disk, and records. */
const kept = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const onDisk = yield* fs.readDirectory(filesDirectory(yield* Settings))
  const records = yield* Effect.flatMap(Files, (files) => files.ofFlow(flowA, [owner]))
  return { onDisk, records: records.map(({ id }) => id) }
})

const nothing = { onDisk: [], records: [] }

describe("an upload", () => {
  it.scoped("is stored as it came, chunk by chunk, even where a chunk ends within a character", () =>
    Effect.gen(function* () {
      const text = "# Überschrift\n\n世界 🌍\n"
      const bytes = new TextEncoder().encode(text)
      const file = yield* upload(
        "notes.md",
        Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
      )
      expect(file).toMatchObject({
        flow_id: flowA,
        user_id: owner,
        name: "notes.md",
        media_type: "text/markdown",
        bytes: bytes.length
      })
      expect(file.id).toMatch(/^[0-9a-f]{32}$/)
      const uploads = yield* Uploads
      const read = yield* uploads.read(file.id).pipe(Stream.decodeText(), Stream.mkString)
      expect(read).toBe(text)
      expect(yield* kept).toEqual({ onDisk: [file.id], records: [file.id] })
    }).pipe(Effect.provide(knowledge()))
  )

  it.scoped("is removed with its bytes, once", () =>
    Effect.gen(function* () {
      const uploads = yield* Uploads
      const file = yield* upload("a.txt", "a")
      expect(yield* uploads.remove(file.id)).toBe(true)
      expect(yield* uploads.remove(file.id)).toBe(false)
      expect(yield* kept).toEqual(nothing)
    }).pipe(Effect.provide(knowledge()))
  )

  it.scoped("above the limit is refused as soon as it is, and leaves nothing", () =>
    Effect.gen(function* () {
      yield* upload("a.txt", "x".repeat(1_000))
      const before = yield* kept
      let pulled = 0
      const uploads = yield* Uploads
      const error = yield* uploads
        .save({
          flowId: flowA,
          userId: owner,
          name: "b.txt",
          content: Stream.repeatEffect(
            Effect.sync(() => {
              pulled++
              return new Uint8Array(100).fill(120)
            })
          )
        })
        .pipe(Effect.flip)
      expect(error).toMatchObject({ _tag: "UploadTooLarge", limitBytes: 1_000 })
      expect(pulled).toBeLessThan(20)
      expect(yield* kept).toEqual(before)
    }).pipe(Effect.provide(knowledge({}, 1_000)))
  )

  it.scoped("of what cannot be read is refused with what is accepted, and leaves nothing", () =>
    Effect.gen(function* () {
      const latin1 = new Uint8Array([0x66, 0xfc, 0x72])
      const refused = [
        ["a.pdf", "%PD", "is not a PDF document"],
        ["a.docx", "PK", "is not a Word document"],
        ["noextension", "text", "cannot be read"],
        ["a.txt.exe", "text", "cannot be read"],
        ["constructor", "text", "cannot be read"],
        ["a.constructor", "text", "cannot be read"],
        ["a.txt", new Uint8Array([0x61, 0, 0x62]), "is a binary file"],
        ["a.txt", latin1, "is not text in UTF-8"],
        ["a.txt", new TextEncoder().encode("世").subarray(0, 2), "is not text in UTF-8"],
        ["a.txt", "", "is empty"]
      ] as const
      for (const [name, content, why] of refused) {
        const error = yield* Effect.flip(upload(name, content))
        expect(error).toMatchObject({ _tag: "UnsupportedFile", name })
        expect(String(error)).toContain(why)
        expect(String(error)).toContain(".txt, .md, .csv, .html and .json")
      }
      expect(yield* kept).toEqual(nothing)
    }).pipe(Effect.provide(knowledge()))
  )

  it.scoped("whose source fails fails with the source's own error, and leaves nothing", () =>
    Effect.gen(function* () {
      const uploads = yield* Uploads
      const content = Stream.concat(Stream.make(new Uint8Array([120])), Stream.fail("the client went away"))
      const error = yield* Effect.flip(uploads.save({ flowId: flowA, userId: owner, name: "a.txt", content }))
      expect(error).toBe("the client went away")
      expect(yield* kept).toEqual(nothing)
    }).pipe(Effect.provide(knowledge()))
  )

  it.scoped("that is interrupted leaves nothing", () =>
    Effect.gen(function* () {
      const uploads = yield* Uploads
      const begun = yield* Deferred.make<void>()
      const content = Stream.concat(
        Stream.make(new Uint8Array([120])),
        Stream.fromEffect(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never))
      )
      const fiber = yield* Effect.fork(uploads.save({ flowId: flowA, userId: owner, name: "a.txt", content }))
      yield* Deferred.await(begun)
      const fs = yield* FileSystem.FileSystem
      const incoming = fs.readDirectory(incomingDirectory(yield* Settings))
      expect(yield* incoming).toHaveLength(1)
      yield* Fiber.interrupt(fiber)
      expect(yield* incoming).toEqual([])
      expect(yield* kept).toEqual(nothing)
    }).pipe(Effect.provide(knowledge()))
  )

  it.scoped("cannot be read or removed by anything that is not an id", () =>
    Effect.gen(function* () {
      const uploads = yield* Uploads
      for (const id of ["../secret", "", ".", "A".repeat(32)]) {
        expect(yield* uploads.remove(id)).toBe(false)
        expect(Option.isNone(yield* Effect.option(Stream.runDrain(uploads.read(id))))).toBe(true)
      }
    }).pipe(Effect.provide(knowledge()))
  )
})

describe("a file's name", () => {
  it.each([
    ["report.md", "report.md"],
    ["../../etc/passwd.txt", "passwd.txt"],
    ["C:\\docs\\plan.csv", "plan.csv"],
    [".htaccess.txt", "htaccess.txt"],
    ["a\u0000b\n.txt", "ab.txt"],
    ["evil\u202etxt.md", "eviltxt.md"],
    ["员工 手册.md", "员工 手册.md"],
    ["", "file"],
    ["..", "file"],
    ["dir/", "file"]
  ])("%j is kept as %j", (given, name) => {
    expect(safeFileName(given)).toBe(name)
  })

  it("is cut to 255 bytes between characters, with its extension", () => {
    const name = safeFileName(`${"长".repeat(300)}.md`)
    expect(name).toMatch(/^长+\.md$/)
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
    expect(Buffer.byteLength(name)).toBeGreaterThan(250)
  })
})

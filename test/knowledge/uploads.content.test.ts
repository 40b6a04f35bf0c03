import { utimes } from "node:fs/promises"
import * as FileSystem from "@effect/platform/FileSystem"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import JSZip from "jszip"
import { Settings } from "../../src/config.ts"
import { filesDirectory, incomingDirectory } from "../../src/knowledge/stored.ts"
import * as Uploads from "../../src/knowledge/Uploads.ts"
import { Files } from "../../src/storage/Files.ts"
import { flowA, knowledge, owner, upload } from "./fixtures.ts"

const zipOf = (...names: ReadonlyArray<string>) =>
  Effect.promise(() => {
    const zip = new JSZip()
    for (const name of names) zip.file(name, "<xml/>")
    return zip.generateAsync({ type: "uint8array" })
  })

const docx = zipOf("[Content_Types].xml", "word/document.xml")
const xlsx = zipOf("[Content_Types].xml", "xl/workbook.xml")
const pdf = new TextEncoder().encode("%PDF-1.7\n\u0000binary")

const byteByByte = (bytes: Uint8Array) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))

/** Everything that lies on disk. */
const onDisk = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const settings = yield* Settings
  return [
    ...(yield* fs.readDirectory(filesDirectory(settings))),
    ...(yield* fs.readDirectory(incomingDirectory(settings)))
  ]
})

const withQuota = (quota: { files?: number; bytes?: number; uploads?: number }) =>
  Uploads.layerWith({ files: 100, bytes: 1_000_000, uploads: 4, ...quota }).pipe(
    Layer.provideMerge(knowledge())
  )

it.scoped("PDF, Word and Excel files are taken for what they are, in whatever pieces they come", () =>
  Effect.gen(function* () {
    const given = [
      ["paper.pdf", pdf, "application/pdf"],
      ["letter.DOCX", yield* docx, /wordprocessingml\.document$/],
      ["sums.xlsx", yield* xlsx, /spreadsheetml\.sheet$/]
    ] as const
    for (const [name, bytes, mediaType] of given) {
      const file = yield* upload(name, byteByByte(bytes))
      expect(file).toMatchObject({ name, bytes: bytes.length })
      expect(file.media_type).toMatch(mediaType)
    }
    expect(yield* onDisk).toHaveLength(3)
  }).pipe(Effect.provide(knowledge()))
)

it.scoped("a file that is not what its name says is refused in words, and leaves nothing", () =>
  Effect.gen(function* () {
    const word = yield* docx
    const sheet = yield* xlsx
    const protectedByPassword = Uint8Array.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0])
    const refused = [
      ["a.pdf", word, "is not a PDF document"],
      ["a.pdf", " %PDF-1.7", "is not a PDF document"],
      ["a.docx", pdf, "is not a Word document"],
      ["a.docx", sheet, "is not a Word document"],
      ["a.xlsx", word, "is not an Excel workbook"],
      ["a.docx", yield* zipOf("a.txt"), "is not a Word document"],
      ["a.docx", yield* zipOf("word/document.xml"), "is not a Word document"],
      ["a.docx", protectedByPassword, "is protected by a password"],
      ["a.docx", word.subarray(0, word.length - 10), "is damaged or was cut short"],
      ["a.docx", new TextEncoder().encode("PK\u0003\u0004 and then nonsense"), "is damaged or was cut short"],
      ["a.txt", word, "is a binary file"],
      ["a.pdf", "", "is empty"]
    ] as const
    for (const [name, content, why] of refused) {
      const error = yield* Effect.flip(upload(name, content))
      expect(error).toMatchObject({ _tag: "UnsupportedFile", name })
      expect(String(error)).toContain(why)
    }
    expect(yield* onDisk).toEqual([])
  }).pipe(Effect.provide(knowledge()))
)

it.scoped("a zip that claims more parts than a document has is refused without reading them", () =>
  Effect.gen(function* () {
    const parts = [
      "[Content_Types].xml",
      "word/document.xml",
      ...Array.from({ length: 6_000 }, (_, i) => `${i}`)
    ]
    const error = yield* Effect.flip(upload("a.docx", yield* zipOf(...parts)))
    expect(String(error)).toContain("is damaged or was cut short")
  }).pipe(Effect.provide(knowledge()))
)

it.scoped("of a file of another kind no more is read than its beginning", () =>
  Effect.gen(function* () {
    let pulled = 0
    const content = Stream.repeatEffect(
      Effect.sync(() => {
        pulled++
        return new Uint8Array(100).fill(120)
      })
    )
    const uploads = yield* Uploads.Uploads
    yield* Effect.flip(uploads.save({ flowId: flowA, userId: owner, name: "a.pdf", content }))
    expect(pulled).toBeLessThan(5)
  }).pipe(Effect.provide(knowledge()))
)

it.scoped("a template is a Word document, and is not among the app's documents", () =>
  Effect.gen(function* () {
    const uploads = yield* Uploads.Uploads
    const template = (name: string, bytes: Uint8Array) =>
      uploads.save({
        flowId: flowA,
        userId: owner,
        name,
        purpose: "template",
        content: Stream.make(bytes)
      })
    expect(String(yield* Effect.flip(template("t.pdf", pdf)))).toContain("send a Word document (.docx)")
    expect(yield* template("t.docx", yield* docx)).toMatchObject({ purpose: "template", chat_id: "" })
    expect(yield* Effect.flatMap(Files, (files) => files.ofFlow(flowA, [owner]))).toEqual([])
  }).pipe(Effect.provide(knowledge()))
)

it.scoped("a user who keeps too many files is told to delete some, and may then go on", () =>
  Effect.gen(function* () {
    const uploads = yield* Uploads.Uploads
    const first = yield* upload("a.txt", "a")
    yield* upload("b.txt", "b")
    const error = yield* Effect.flip(upload("c.txt", "c"))
    expect(error).toMatchObject({ _tag: "QuotaExceeded", what: "files" })
    expect(String(error)).toContain("delete some first")
    yield* upload("c.txt", "c", { userId: owner + 1 })
    yield* uploads.remove(first.id)
    yield* upload("c.txt", "c")
    expect(yield* onDisk).toHaveLength(3)
  }).pipe(Effect.provide(withQuota({ files: 2 })))
)

it.scoped("a user's files together are bounded, however many come at once", () =>
  Effect.gen(function* () {
    yield* upload("a.txt", "x".repeat(600))
    const both = yield* Effect.all(
      [1, 2].map(() => Effect.either(upload("b.txt", "x".repeat(300)))),
      { concurrency: "unbounded" }
    )
    expect(both.map((one) => one._tag).toSorted()).toEqual(["Left", "Right"])
    expect(yield* Effect.flip(upload("c.txt", "x".repeat(101)))).toMatchObject({
      _tag: "QuotaExceeded",
      what: "bytes"
    })
    expect(yield* onDisk).toHaveLength(2)
  }).pipe(Effect.provide(withQuota({ bytes: 1_000 })))
)

it.scoped("so many uploads of one user go on at a time, and an end makes room", () =>
  Effect.gen(function* () {
    const uploads = yield* Uploads.Uploads
    const begun = yield* Deferred.make<void>()
    const content = Stream.fromEffect(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never))
    const fiber = yield* Effect.fork(uploads.save({ flowId: flowA, userId: owner, name: "a.txt", content }))
    yield* Deferred.await(begun)
    expect(yield* Effect.flip(upload("b.txt", "b"))).toMatchObject({ what: "uploads" })
    yield* upload("b.txt", "b", { userId: owner + 1 })
    yield* Fiber.interrupt(fiber)
    yield* upload("b.txt", "b")
  }).pipe(Effect.provide(withQuota({ uploads: 1 })))
)

it.scoped("what the server makes is kept whole under a safe name, counts, and is nobody's document", () =>
  Effect.gen(function* () {
    const uploads = yield* Uploads.Uploads
    const made = {
      flowId: flowA,
      userId: owner,
      chatId: "chat-1",
      name: "../报告.docx",
      mediaType: "application/octet-stream",
      bytes: new Uint8Array(700).fill(7)
    }
    const file = yield* uploads.saveMade(made)
    expect(file).toMatchObject({ name: "报告.docx", chat_id: "chat-1", purpose: "made", bytes: 700 })
    const read = yield* Stream.runCollect(uploads.read(file.id))
    expect(Buffer.concat([...read])).toEqual(Buffer.from(made.bytes))
    expect(yield* Effect.flip(uploads.saveMade(made))).toMatchObject({ _tag: "QuotaExceeded" })
    expect(yield* Effect.flatMap(Files, (files) => files.ofFlow(flowA, [owner], "chat-1"))).toEqual([])
    expect(yield* onDisk).toEqual([file.id])
  }).pipe(Effect.provide(withQuota({ bytes: 1_000 })))
)

it.scoped("a chat's files go with it, its owner's alone, with their bytes", () =>
  Effect.gen(function* () {
    const uploads = yield* Uploads.Uploads
    const inChat = (chatId: string, userId: number) =>
      uploads.save({
        flowId: flowA,
        userId,
        name: "a.txt",
        content: Stream.make(new Uint8Array([97])),
        chatId: Effect.succeed(chatId)
      })
    const gone = [yield* inChat("chat-1", owner), yield* inChat("chat-1", owner)]
    const stays = [yield* inChat("chat-2", owner), yield* inChat("chat-1", 99), yield* upload("a.txt", "a")]
    expect(yield* uploads.removeOfChat("chat-1", owner)).toBe(2)
    expect(yield* uploads.removeOfChat("chat-1", owner)).toBe(0)
    expect((yield* onDisk).toSorted()).toEqual(stays.map((file) => file.id).toSorted())
    for (const file of gone) expect(yield* uploads.find(file.id)).toEqual(Option.none())
    for (const file of stays) expect(yield* uploads.find(file.id)).toEqual(Option.some(file))
  }).pipe(Effect.provide(knowledge()))
)

it.scoped("a record without its bytes is not found", () =>
  Effect.gen(function* () {
    const uploads = yield* Uploads.Uploads
    const fs = yield* FileSystem.FileSystem
    const file = yield* upload("a.txt", "a")
    yield* fs.remove(`${filesDirectory(yield* Settings)}/${file.id}`)
    expect(yield* uploads.find(file.id)).toEqual(Option.none())
  }).pipe(Effect.provide(knowledge()))
)

it.scoped("half an upload that a dead process left is cleared a day later, a fresh one is left alone", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = incomingDirectory(yield* Settings)
    const [old, fresh] = [`${directory}/${"0".repeat(32)}`, `${directory}/${"1".repeat(32)}`]
    const now = Date.UTC(2026, 0, 10)
    yield* TestClock.setTime(now)
    for (const [path, age] of [
      [old, 25],
      [fresh, 23]
    ] as const) {
      yield* fs.writeFileString(path, "half")
      const at = new Date(now - age * 3_600_000)
      yield* Effect.promise(() => utimes(path, at, at))
    }
    yield* Layer.build(Layer.fresh(Uploads.layer))
    expect(yield* fs.exists(old)).toBe(false)
    expect(yield* fs.exists(fresh)).toBe(true)
  }).pipe(Effect.provide(knowledge()))
)

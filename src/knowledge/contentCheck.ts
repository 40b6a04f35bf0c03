/** Holds a file to be what its name says, by its content, while it passes and once it lies on disk. */
import * as Effect from "effect/Effect"
import { acceptedFiles, type FileType } from "./fileTypes.ts"
import { UnsupportedFile } from "./refusals.ts"
import { zipNames } from "./zipNames.ts"

export interface ContentCheck {
  readonly chunk: (chunk: Uint8Array) => Effect.Effect<void, UnsupportedFile>
  /** After the last chunk; the file lies at the path. */
  readonly end: (path: string) => Effect.Effect<void, UnsupportedFile>
}

export const contentCheck = (name: string, kind: FileType["kind"]): ContentCheck => {
  const refused = (what: string) =>
    Effect.fail(new UnsupportedFile({ name, reason: `"${name}" ${what}. ${acceptedFiles}` }))
  switch (kind) {
    case "pdf":
      return beginning("%PDF-", () => refused("is not a PDF document"))
    case "docx":
      return office(refused, "a Word document", "word/document.xml")
    case "xlsx":
      return office(refused, "an Excel workbook", "xl/workbook.xml")
    default:
      return text(refused)
  }
}

type Refuse = (what: string) => Effect.Effect<never, UnsupportedFile>

/** Counts nothing and keeps no more than the first bytes. */
const beginning = (magic: string, refuse: (head: Buffer) => Effect.Effect<never, UnsupportedFile>) => {
  let head = Buffer.alloc(0)
  const isRight = (): boolean => head.toString("latin1").startsWith(magic)
  return {
    chunk: (chunk: Uint8Array) =>
      Effect.suspend(() => {
        if (head.length >= magicBytes) return Effect.void
        head = Buffer.concat([head, chunk.subarray(0, magicBytes - head.length)])
        return head.length < magicBytes || isRight() ? Effect.void : refuse(head)
      }),
    end: () => Effect.suspend(() => (isRight() ? Effect.void : refuse(head)))
  }
}

const magicBytes = 8

/** What Office puts around a document that is protected by a password, and what .doc and .xls are. */
const compoundFile = "d0cf11e0a1b11ae1"

const office = (refused: Refuse, what: string, main: string): ContentCheck => {
  const check = beginning("PK\u0003\u0004", (head) =>
    refused(
      head.toString("hex") === compoundFile
        ? `is protected by a password or of an old Office format: save it as ${what} without a password`
        : `is not ${what}`
    )
  )
  return {
    chunk: check.chunk,
    end: (path) =>
      Effect.gen(function* () {
        yield* check.end()
        const names = yield* zipNames(path).pipe(
          Effect.catchTag("BrokenZip", () => refused("is damaged or was cut short"))
        )
        if (!names.has("[Content_Types].xml") || !names.has(main)) return yield* refused(`is not ${what}`)
      })
  }
}

const text = (refused: Refuse): ContentCheck => {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const decode = (chunk?: Uint8Array) =>
    Effect.suspend(() => {
      try {
        decoder.decode(chunk, { stream: chunk !== undefined })
        return Effect.void
      } catch {
        return refused("is not text in UTF-8")
      }
    })
  return {
    chunk: (chunk) => Effect.suspend(() => (chunk.includes(0) ? refused("is a binary file") : decode(chunk))),
    end: () => decode()
  }
}

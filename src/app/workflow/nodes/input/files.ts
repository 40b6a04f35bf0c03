/** The files that a person has given with an answer, as texts and as references to them. */
import * as Effect from "effect/Effect"
import type { DocumentsService } from "../../../../knowledge/Documents.ts"
import type { RunFailed } from "../../../../protocol/errors.ts"
import type { Json } from "../../../../protocol/frames.ts"
import { failed, unreadable } from "../../NodeType.ts"

/** Of one answer. */
export const maxFiles = 20

const defaultLimit = 15_000

export interface GivenFiles {
  /** One for each file with a text: what later nodes search in. */
  readonly list: ReadonlyArray<Json>
  /** The texts together, each between marks that name its file. */
  readonly content: string
  /** As the client named them. */
  readonly paths: ReadonlyArray<string>
  readonly images: ReadonlyArray<string>
}

export interface FilesAsked {
  /** Characters of the texts together, as the graph has it. */
  readonly limit: Json
  /** "keep_raw": their texts are not wanted. */
  readonly mode: string
}

export const readFiles = (
  references: ReadonlyArray<string>,
  { limit, mode }: FilesAsked,
  documents: DocumentsService
): Effect.Effect<GivenFiles, RunFailed> =>
  Effect.gen(function* () {
    const size = Number(limit ?? defaultLimit)
    let room = Number.isFinite(size) && size >= 0 ? size : defaultLimit
    const images = references.filter(isImage)
    const list: Array<Json> = []
    let content = ""
    for (const reference of mode === "keep_raw" ? [] : references) {
      if (isImage(reference)) continue
      const fileId = fileIdIn(reference)
      if (fileId === null)
        return yield* failed(`"${reference.slice(0, 100)}" is no uploaded file; upload it first`)
      const docs = yield* documents.load(fileId).pipe(Effect.mapError(unreadable))
      const name = docs[0]?.fileName ?? fileId
      const text = docs
        .map((doc) => doc.text)
        .join("\n")
        .slice(0, room)
      if (room > 0) content += `[file name]: ${name}\n[file content begin]\n${text}\n[file content end]\n`
      room -= text.length
      list.push({ file_id: fileId, document_id: fileId, document_name: name })
    }
    return { list, content, paths: references, images }
  })

/** The id as the upload answered it, alone or in a link to the file. */
const fileIdIn = (reference: string): string | null =>
  /(?:^|[/=])([0-9a-f]{32})(?:$|[/?&#.])/.exec(reference)?.[1] ?? null

const isImage = (reference: string): boolean => /\.(?:png|jpe?g|bmp|gif|webp)(?:$|\?)/i.test(reference)

/** What people call a file of their answer: the last part of its link. */
export const nameIn = (reference: string): string =>
  reference.split(/[?#]/)[0]?.split("/").at(-1) ?? reference

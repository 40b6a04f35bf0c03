/** The passages behind an answer, as they are shown to somebody who asks where it comes from. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RecallChunk, StoredFile } from "../storage/rows.ts"
import { shareOf } from "./keywords.ts"
import { FileLinks } from "./links.ts"
import { readableFiles } from "./sources.ts"
import { isFileId } from "./stored.ts"

export interface Traced {
  readonly file_id: string
  readonly source: string
  readonly right: boolean
  readonly score: number
  readonly chunk: string
  readonly page: number | null
  readonly chunk_bboxes: ReadonlyArray<{ readonly page: number; readonly bbox: ReadonlyArray<number> }>
  readonly source_url: string
  readonly original_url: string
  readonly file_url: string
}

const maxKeys = 100

const decodeBoxes = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Array(Schema.Struct({ page: Schema.Int, box: Schema.Array(Schema.Number) })))
)

const boxesOf = ({ boxes }: RecallChunk): Traced["chunk_bboxes"] => {
  const found = boxes === null ? null : decodeBoxes(boxes)
  return found?._tag === "Some" ? found.value.map(({ page, box }) => ({ page, bbox: box })) : []
}

/** Addresses come from documents and models; others than these are not for a browser. */
const isWebAddress = (url: string): boolean => /^https?:\/\//i.test(url)

export const makeTraced = Effect.map(
  FileLinks,
  (links) => (chunks: ReadonlyArray<RecallChunk>, keys: ReadonlyArray<string>, userId: number) =>
    Effect.gen(function* () {
      const readable = yield* readableFiles(
        chunks.map((chunk) => chunk.file_id),
        userId
      )
      const urls = new Map<string, string>()
      for (const id of readable.keys()) urls.set(id, (yield* links.sign(id)).url)
      const wanted = keys
        .map((key) => key.trim())
        .filter((key) => key !== "")
        .slice(0, maxKeys)
      return byFile(chunks.map((chunk) => shown(chunk, wanted, readable, urls)))
    })
)

const shown = (
  chunk: RecallChunk,
  keys: ReadonlyArray<string>,
  readable: ReadonlyMap<string, StoredFile>,
  urls: ReadonlyMap<string, string>
): Traced => {
  const right = !isFileId(chunk.file_id) || readable.has(chunk.file_id)
  const web = chunk.url !== null && isWebAddress(chunk.url) ? chunk.url : ""
  const url = right ? (urls.get(chunk.file_id) ?? web) : ""
  return {
    file_id: chunk.file_id,
    source: right ? (readable.get(chunk.file_id)?.name ?? (chunk.file_name || web)) : "",
    right,
    score: right ? Math.round(shareOf(keys, chunk.chunk) * 100) / 100 : 0,
    chunk: right ? chunk.chunk : "",
    page: right ? chunk.page : null,
    chunk_bboxes: right ? boxesOf(chunk) : [],
    source_url: url,
    original_url: url,
    file_url: url
  }
}

/** The file with the best passage first; within a file the best passage first; else as they were found. */
const byFile = (all: ReadonlyArray<Traced>): ReadonlyArray<Traced> => {
  const groups = new Map<string, Array<Traced>>()
  for (const one of all) {
    const key = one.file_id === "" ? one.file_url : one.file_id
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  const best = (group: ReadonlyArray<Traced>): number => Math.max(...group.map(({ score }) => score))
  return [...groups.values()]
    .toSorted((left, right) => best(right) - best(left))
    .flatMap((group) => group.toSorted((left, right) => right.score - left.score))
}

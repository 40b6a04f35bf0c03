/**
 * What a node searches: the files of the app as a whole, or those that a person has given to an input node in
 * this run. A knowledge base of another installation is not here; the app's own files stand in for it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { chunksOf } from "../../knowledge/chunks.ts"
import type { Doc, DocumentsService } from "../../knowledge/Documents.ts"
import type { RetrievalService } from "../../knowledge/Retrieval.ts"
import type { RunFailed } from "../../protocol/errors.ts"
import type { Json } from "../../protocol/frames.ts"
import type { Passage } from "../../protocol/RunEvent.ts"
import { isList, isRecord, JsonValue } from "./json.ts"
import { type NodeBench, Optional, unreadable } from "./NodeType.ts"
import type { Reading } from "./variables.ts"

const Choice = Schema.Struct({ key: JsonValue })

/** Older graphs list the knowledge bases without saying what they are. */
export const Knowledge = Schema.Union(
  Schema.Struct({ type: Optional(Schema.String), value: Optional(Schema.Array(Choice)) }),
  Schema.Array(Choice)
)

export const searchFields = {
  knowledge: Optional(Knowledge),
  max_chunk_size: Optional(JsonValue),
  advanced_retrieval_switch: Optional(JsonValue)
}

export interface SearchSettings {
  readonly knowledge?: typeof Knowledge.Type | null | undefined
  readonly max_chunk_size?: Json | null | undefined
  readonly advanced_retrieval_switch?: Json | null | undefined
}

const maxPassages = 20

export const retrieve = (
  question: string,
  settings: SearchSettings,
  reading: Reading,
  userId: number,
  bench: NodeBench
): Effect.Effect<ReadonlyArray<Passage>, RunFailed> => {
  const given = givenFiles(settings.knowledge ?? null, reading)
  const found =
    question.trim() === ""
      ? Effect.succeed([])
      : given === null
        ? bench.library.search({ text: question, flowId: bench.flowId, userId, limit: maxPassages })
        : searchFiles(question, given, bench)
  return Effect.map(found, (passages) => withinSize(passages, sizeOf(settings)))
}

/** What a node is to search, whichever way its graph says it. */
export const chosen = (
  knowledge: typeof Knowledge.Type | null
): { readonly type: string; readonly value: ReadonlyArray<typeof Choice.Type> } => {
  if (knowledge === null) return { type: "knowledge", value: [] }
  return isChoices(knowledge)
    ? { type: "knowledge", value: knowledge }
    : { type: knowledge.type ?? "knowledge", value: knowledge.value ?? [] }
}

const isChoices = (knowledge: typeof Knowledge.Type): knowledge is ReadonlyArray<typeof Choice.Type> =>
  Array.isArray(knowledge)

/** The files that a reference to an input node's files stands for; null: the app's files are meant. */
export const givenFiles = (
  knowledge: typeof Knowledge.Type | null,
  reading: Reading
): ReadonlyArray<string> | null => {
  const { type, value } = chosen(knowledge)
  if (type !== "tmp") return null
  const lists = value.map(({ key }) => (typeof key === "string" ? reading.value(key) : null))
  const files = lists.flatMap((list) => (isList(list) ? list : []))
  return [
    ...new Set(
      files.flatMap((file) =>
        isRecord(file) && typeof file["file_id"] === "string" ? [file["file_id"]] : []
      )
    )
  ]
}

export const searchFiles = (
  question: string,
  fileIds: ReadonlyArray<string>,
  { documents, retrieval }: { readonly documents: DocumentsService; readonly retrieval: RetrievalService }
): Effect.Effect<ReadonlyArray<Passage>, RunFailed> =>
  fileIds.length === 0
    ? Effect.succeed([])
    : Effect.forEach(fileIds, documents.load).pipe(
        Effect.flatMap((docs) => retrieval.index(docs.flat().flatMap(inPieces))),
        Effect.flatMap((retriever) => retriever.search(question, maxPassages)),
        Effect.mapError(unreadable)
      )

const inPieces = (doc: Doc): ReadonlyArray<Doc> => {
  const pieces = chunksOf(doc.text, "text")
  return pieces.length <= 1 ? [doc] : pieces.map(({ text }) => ({ ...doc, text }))
}

const defaultSize = 15_000

const sizeOf = ({ max_chunk_size, advanced_retrieval_switch: advanced }: SearchSettings): number => {
  const settings = advanced ?? null
  const size = Number(
    (isRecord(settings) ? settings["max_chunk_size"] : null) ?? max_chunk_size ?? defaultSize
  )
  return Number.isFinite(size) && size > 0 ? size : defaultSize
}

/** The best ones that fit together. */
const withinSize = (passages: ReadonlyArray<Passage>, size: number): ReadonlyArray<Passage> => {
  let room = size
  const end = passages.findIndex((passage) => {
    room -= passage.text.length
    return room < 0
  })
  return end === -1 ? passages : passages.slice(0, end)
}

export const Questions = Schema.Union(Schema.Array(Schema.String), Schema.String)

/** The questions that a node is asked, by their references. */
export const questionsOf = (
  references: typeof Questions.Type | null | undefined,
  reading: Reading
): ReadonlyArray<string> =>
  (typeof references === "string" ? [references] : (references ?? []))
    .filter((reference) => reference !== "")
    .map((reference) => reading.text(reference))

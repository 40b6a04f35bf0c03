/** Where an answer comes from, and who may see it: `source` and `extra` of the answer's frame. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isChinese } from "../model/words.ts"
import type { Json } from "../protocol/frames.ts"
import type { Passage } from "../protocol/RunEvent.ts"
import { Files } from "../storage/Files.ts"
import { Flows } from "../storage/Flows.ts"
import type { StoredFile } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Users } from "../storage/Users.ts"
import { isFileId } from "./stored.ts"

export const fromNothing = 0
export const fromFiles = 1
export const withoutPermission = 2
export const fromLinks = 3
export const fromPair = 4

export interface Judged {
  readonly source: 0 | 1 | 2 | 3 | 4
  /** What `Frame.extra` says beside. */
  readonly extra: { readonly [key: string]: Json }
}

/** A stored question with its answer, given instead of one that a model wrote. */
export interface Pair {
  readonly question: string
  readonly url?: string
}

type Stores = Files | Flows | Users

const online = 2

/**
 * Of these files, by id, those that are there and that the user may read: their own, those that an app's owner
 * gave to an app that they may use, and for an admin all.
 */
export const readableFiles = (
  fileIds: Iterable<string>,
  userId: number
): Effect.Effect<ReadonlyMap<string, StoredFile>, StorageError, Stores> =>
  Effect.gen(function* () {
    const files = yield* (yield* Files).getAll([...new Set(fileIds)].filter(isFileId))
    const others = files.filter((file) => file.user_id !== userId)
    if (others.length === 0) return byId(files)
    const user = yield* (yield* Users).get(userId)
    if (Option.exists(user, ({ role }) => role === "admin")) return byId(files)
    const flows = yield* Flows
    const flowIds = [...new Set(others.filter(isForAll).map((file) => file.flow_id))]
    const found = yield* Effect.forEach(flowIds, (id) => flows.get(id))
    const owners = new Map(
      found.flatMap(
        Option.match({
          onNone: () => [],
          onSome: (flow) => (flow.status === online ? [[flow.id, flow.user_id] as const] : [])
        })
      )
    )
    return byId(
      files.filter(
        (file) => file.user_id === userId || (isForAll(file) && owners.get(file.flow_id) === file.user_id)
      )
    )
  })

const byId = (files: ReadonlyArray<StoredFile>): ReadonlyMap<string, StoredFile> =>
  new Map(files.map((file) => [file.id, file]))

/** What is made, a template, or given to one chat is nobody else's. */
const isForAll = (file: StoredFile): boolean => file.purpose === "document" && file.chat_id === ""

/** A passage names no uploaded file where it is from the web, or from the product's own documentation. */
const isOfUpload = ({ fileId }: Passage): boolean => isFileId(fileId)

const isOfWeb = ({ url }: Passage): boolean => url !== undefined && url !== ""

export const judgeSource = (
  passages: ReadonlyArray<Passage>,
  userId: number,
  pair?: Pair
): Effect.Effect<Judged, StorageError, Stores> =>
  Effect.gen(function* () {
    if (pair !== undefined) return { source: fromPair, extra: pairExtra(pair) }
    if (passages.length === 0) return { source: fromNothing, extra: {} }
    const ids = new Set(passages.filter(isOfUpload).map((passage) => passage.fileId))
    const readable = yield* readableFiles(ids, userId)
    if (readable.size < ids.size) return { source: withoutPermission, extra: {} }
    if (passages.every(isOfWeb)) return { source: fromLinks, extra: { doc: linksOf(passages) } }
    return { source: fromFiles, extra: {} }
  })

const pairExtra = ({ question, url }: Pair): { readonly [key: string]: Json } => ({
  qa: `${isChinese(question) ? "答案来自问答库：" : "Answered from stored questions: "}${question}`,
  ...(url === undefined ? {} : { url })
})

/** Each once, in the passages' order. */
const linksOf = (passages: ReadonlyArray<Passage>): ReadonlyArray<{ title: string; url: string }> => {
  const links = passages.map(({ fileName, url = "" }) => ({ title: fileName === "" ? url : fileName, url }))
  return [...new Map(links.map((link) => [JSON.stringify([link.title, link.url]), link])).values()]
}

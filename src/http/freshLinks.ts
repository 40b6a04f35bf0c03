/** Links to files in stored messages expire; whoever reads them later is given new ones, where they may have the file. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { FileLinks, linkPrefix } from "../knowledge/links.ts"
import { readableFiles } from "../knowledge/sources.ts"
import { CurrentUser } from "./SignedIn.ts"

const decodeFiles = Schema.decodeUnknownOption(Schema.parseJson(Schema.Array(Schema.Unknown)))

type Linked = { readonly file_url: string }

const isLinked = (file: unknown): file is Linked =>
  typeof file === "object" && file !== null && "file_url" in file && typeof file.file_url === "string"

const leads = new RegExp(`^${linkPrefix}([0-9a-f]{32})\\.`)

/** null: it leads elsewhere. */
const fileIdIn = (file: unknown): string | null =>
  isLinked(file) ? (leads.exec(file.file_url)?.[1] ?? null) : null

export const makeFreshLinks = Effect.map(
  FileLinks,
  (links) =>
    <M extends { readonly files: string }>(messages: ReadonlyArray<M>) =>
      Effect.gen(function* () {
        const listed = messages.map(({ files }) =>
          files.includes(linkPrefix) ? Option.getOrElse(decodeFiles(files), () => []) : []
        )
        const ids = listed.flat().flatMap((file) => fileIdIn(file) ?? [])
        if (ids.length === 0) return messages
        const { userId } = yield* CurrentUser
        // Not by the old link's word: what stands in a message need not be from this server.
        const readable = yield* readableFiles(ids, userId)
        const urls = new Map(
          yield* Effect.forEach(readable.keys(), (id) =>
            Effect.map(links.sign(id), ({ url }) => [id, url] as const)
          )
        )
        return messages.map((message, at) => {
          const files = listed[at] ?? []
          if (files.length === 0) return message
          const fresh = files.map((file) => {
            const url = urls.get(fileIdIn(file) ?? "")
            return isLinked(file) && url !== undefined ? { ...file, file_url: url } : file
          })
          return { ...message, files: JSON.stringify(fresh) }
        })
      })
)

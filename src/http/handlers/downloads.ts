import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { mayAlter, type Person } from "../../account/Access.ts"
import { FileLinks } from "../../knowledge/links.ts"
import { readableFiles } from "../../knowledge/sources.ts"
import { isFileId } from "../../knowledge/stored.ts"
import { Uploads } from "../../knowledge/Uploads.ts"
import { Flows } from "../../storage/Flows.ts"
import type { StoredFile } from "../../storage/rows.ts"
import { Api } from "../Api.ts"
import { notFound, notYours, Refused } from "../Refused.ts"
import { makeIdentify } from "../SignedIn.ts"

/** To be saved, never to be shown: a page that somebody uploaded must not run as one of ours. */
const asAttachment = ({ name, media_type, bytes }: StoredFile) => ({
  contentType: /html|xml|svg|javascript/.test(media_type.replace(/^.*openxmlformats.*$/, ""))
    ? "application/octet-stream"
    : media_type,
  contentLength: bytes,
  headers: {
    "content-disposition": dispositionOf(name),
    "content-security-policy": "default-src 'none'; sandbox"
  }
})

/** RFC 6266: the name in Latin letters for old programs, and as it is. */
export const dispositionOf = (name: string): string => {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_")
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}

const rejected = {
  invalid: new Refused({ status: 403, text: "this link is not valid; ask for a new one" }),
  expired: new Refused({ status: 410, text: "this link expired; ask for a new one" })
}

export const DownloadsLive = HttpApiBuilder.group(Api, "downloads", (handlers) =>
  Effect.gen(function* () {
    const uploads = yield* Uploads
    const links = yield* FileLinks
    const flows = yield* Flows
    const identify = yield* makeIdentify

    const mayRead = (person: Person, file: StoredFile) =>
      Effect.gen(function* () {
        const readable = yield* readableFiles([file.id], person.userId)
        if (person.role === "admin" || readable.has(file.id)) return true
        if (file.purpose !== "template") return false
        const flow = yield* flows.get(file.flow_id)
        return Option.exists(flow, (app) => mayAlter(person, app))
      })

    const existing = (id: string) =>
      Effect.flatMap(
        uploads.find(id),
        Option.match({
          onNone: () => Effect.fail(notFound("file")),
          onSome: (file) => Effect.succeed(file)
        })
      )

    const wanted = (key: string) =>
      Effect.gen(function* () {
        if (!isFileId(key)) {
          const id = yield* Effect.mapError(links.verify(key), ({ reason }) => rejected[reason])
          return yield* existing(id)
        }
        const person = yield* identify
        const file = yield* existing(key)
        return (yield* mayRead(person, file)) ? file : yield* notYours("file")
      })

    return handlers.handleRaw("download", ({ path }) =>
      Effect.map(wanted(path.key), (file) =>
        HttpServerResponse.stream(uploads.read(file.id), asAttachment(file))
      )
    )
  })
)

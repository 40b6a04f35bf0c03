/**
 * Links to files that work for whoever has them, for a while: the file's id, the moment it ends, and a signature
 * over both. Nothing is stored for a link; a removed file's links lead to nothing.
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { isFileId } from "./stored.ts"

export class LinkRejected extends Data.TaggedError("LinkRejected")<{
  readonly reason: "invalid" | "expired"
}> {}

export interface FileLink {
  /** Relative to the server: "/api/v1/files/…". */
  readonly url: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface FileLinksService {
  readonly sign: (fileId: string) => Effect.Effect<FileLink>
  /** The id of the file that a link's key opens. */
  readonly verify: (key: string) => Effect.Effect<string, LinkRejected>
}

export class FileLinks extends Context.Tag("colloquy/FileLinks")<FileLinks, FileLinksService>() {}

/** Where links lead; the rest of the path is the key. */
export const linkPrefix = "/api/v1/files/"

/** The name of what the key is for keeps signatures of one kind from serving as another's. */
const keyOf = (secret: Redacted.Redacted): Buffer =>
  createHmac("sha256", Redacted.value(secret)).update("colloquy: links to files, 1").digest()

export const makeFileLinks = (
  secret: Redacted.Redacted,
  lifetime: Duration.DurationInput
): FileLinksService => {
  const key = keyOf(secret)
  const signature = (signed: string): Buffer => createHmac("sha256", key).update(signed).digest()
  return {
    sign: (fileId) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        // Whole seconds, as they stand in the link.
        const seconds = Math.ceil((now + Duration.toMillis(lifetime)) / 1000)
        const signed = `${fileId}.${seconds.toString(36)}`
        return {
          url: `${linkPrefix}${signed}.${signature(signed).toString("base64url")}`,
          expiresAt: seconds * 1000
        }
      }),

    verify: (key) =>
      Effect.gen(function* () {
        const [, id = "", end = "", mark = ""] = linkKey.exec(key) ?? []
        const given = Buffer.from(mark, "base64url")
        const wanted = signature(`${id}.${end}`)
        const isOurs = isFileId(id) && given.length === wanted.length && timingSafeEqual(given, wanted)
        if (!isOurs) return yield* new LinkRejected({ reason: "invalid" })
        const now = yield* Clock.currentTimeMillis
        if (now >= Number.parseInt(end, 36) * 1000) return yield* new LinkRejected({ reason: "expired" })
        return id
      })
  }
}

/** 32 bytes are 43 characters of base64url; the last one has bits to spare, which must be zero. */
const linkKey = /^([0-9a-f]{32})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/

/** Links to files, signed with the secret that tokens are signed with, for as long as FILE_LINK_TTL says. */
import type { FileSystem } from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { authSecret, type SecretUnavailable } from "../account/secret.ts"
import { Settings } from "../config.ts"
import { FileLinks, makeFileLinks } from "../knowledge/links.ts"

export const FileLinksLive: Layer.Layer<FileLinks, SecretUnavailable, Settings | FileSystem> = Layer.effect(
  FileLinks,
  Effect.gen(function* () {
    const { fileLinkTtl } = yield* Settings
    return makeFileLinks(yield* authSecret, fileLinkTtl)
  })
)

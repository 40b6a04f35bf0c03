import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Multipart from "@effect/platform/Multipart"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Settings } from "../../config.ts"
import { Uploads } from "../../knowledge/Uploads.ts"
import { Api } from "../Api.ts"
import { makeApps } from "../apps.ts"
import { ok } from "../envelope.ts"
import { invalid, Refused } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"

/** What a form may weigh beside its file. */
const formBytes = 1024 * 1024

const tooLarge = (limitBytes: number) =>
  new Refused({
    status: 413,
    text: `the file is larger than ${limitBytes} bytes`,
    data: { limit_bytes: limitBytes }
  })

/** What was not read is let run out, or the client never gets to read the answer. */
const runOut = (request: HttpServerRequest) =>
  Effect.sync(() => {
    const source = NodeHttpServerRequest.toIncomingMessage(request)
    source.unpipe()
    source.resume()
  })

export const FilesLive = HttpApiBuilder.group(Api, "files", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    const uploads = yield* Uploads
    const { maxUploadBytes } = yield* Settings

    const multipartRefusal = ({ reason }: Multipart.MultipartError) =>
      reason === "BodyTooLarge" || reason === "FileTooLarge"
        ? tooLarge(maxUploadBytes)
        : invalid('send the file as multipart/form-data, in a field "file"')

    return handlers.handle("upload", ({ path, payload, request }) =>
      Effect.gen(function* () {
        const { userId } = yield* CurrentUser
        const flow = yield* apps.toUse(path.flow_id, () => true)
        const saved = yield* payload.pipe(
          Stream.filter(Multipart.isFile),
          Stream.take(1),
          Stream.mapEffect((part) =>
            uploads.save({ flowId: flow.id, userId, name: part.name, content: part.content })
          ),
          Stream.runHead,
          Effect.catchTag("MultipartError", (error) => Effect.fail(multipartRefusal(error))),
          Effect.catchTag("UploadTooLarge", ({ limitBytes }) => Effect.fail(tooLarge(limitBytes))),
          Effect.catchTag("UnsupportedFile", ({ reason }) => Effect.fail(invalid(`file: ${reason}`)))
        )
        if (Option.isNone(saved)) return yield* invalid('file: send one in a field "file"')
        const file = saved.value
        return ok({
          file_path: `files/${file.id}`,
          file_id: file.id,
          file_name: file.name,
          bytes: file.bytes
        })
      }).pipe(
        Effect.ensuring(runOut(request)),
        Effect.provideService(
          HttpIncomingMessage.MaxBodySize,
          Option.some(FileSystem.Size(maxUploadBytes + formBytes))
        )
      )
    )
  })
)

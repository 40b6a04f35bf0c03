import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Uploads } from "../../knowledge/Uploads.ts"
import { Api } from "../Api.ts"
import { makeApps } from "../apps.ts"
import { fileTooLarge, notAForm } from "../body.ts"
import { ok } from "../envelope.ts"
import { firstFile } from "../form.ts"
import { invalid } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"

/** What was not read is let run out, or the client never gets to read the answer. */
const runOut = (request: HttpServerRequest) =>
  Effect.sync(() => {
    NodeHttpServerRequest.toIncomingMessage(request).resume()
  })

export const FilesLive = HttpApiBuilder.group(Api, "files", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    const uploads = yield* Uploads

    const received = (request: HttpServerRequest, flowId: string, userId: number) =>
      Effect.gen(function* () {
        const source = NodeHttpServerRequest.toIncomingMessage(request)
        const file = yield* firstFile(source, request.headers["content-type"] ?? "")
        if (Option.isNone(file)) return yield* invalid('file: send one in a field "file"')
        return yield* uploads.save({ flowId, userId, name: file.value.name, content: file.value.content })
      }).pipe(
        Effect.scoped,
        Effect.catchTag("BrokenForm", () => Effect.fail(notAForm)),
        Effect.catchTag("UploadTooLarge", ({ limitBytes }) => Effect.fail(fileTooLarge(limitBytes))),
        Effect.catchTag("UnsupportedFile", ({ reason }) => Effect.fail(invalid(`file: ${reason}`)))
      )

    return handlers.handle("upload", ({ path, request }) =>
      Effect.gen(function* () {
        const { userId } = yield* CurrentUser
        const flow = yield* apps.toUse(path.flow_id, () => true)
        const file = yield* received(request, flow.id, userId)
        return ok({
          file_path: `files/${file.id}`,
          file_id: file.id,
          file_name: file.name,
          bytes: file.bytes
        })
      }).pipe(Effect.ensuring(runOut(request)))
    )
  })
)

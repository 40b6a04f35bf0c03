/** Takes the file of a form in, for the endpoints that accept one; what is refused is told with its status. */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { QuotaExceeded } from "../knowledge/refusals.ts"
import { type Upload, Uploads } from "../knowledge/Uploads.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { fileTooLarge, notAForm } from "./body.ts"
import { type BrokenForm, type FormFields, firstFile } from "./form.ts"
import { invalid, Refused } from "./Refused.ts"
import type { CurrentUser } from "./SignedIn.ts"

type Wanted = Pick<Upload<never, never>, "flowId" | "userId" | "purpose"> & {
  /** Of the form's other fields, which may stand behind the file. */
  readonly chatId: (fields: FormFields) => Effect.Effect<string, Refused | StorageError, CurrentUser>
}

export const makeReceive = Effect.map(
  Uploads,
  (uploads) =>
    (request: HttpServerRequest, { chatId, ...wanted }: Wanted) =>
      Effect.gen(function* () {
        const source = NodeHttpServerRequest.toIncomingMessage(request)
        const file = yield* firstFile(source, request.headers["content-type"] ?? "")
        if (Option.isNone(file)) return yield* invalid('file: send one in a field "file"')
        const { name, content, fields } = file.value
        return yield* uploads.save<BrokenForm | Refused | StorageError, CurrentUser>({
          ...wanted,
          name,
          content,
          chatId: Effect.flatMap(fields, chatId)
        })
      }).pipe(
        Effect.scoped,
        Effect.catchTags({
          BrokenForm: () => Effect.fail(notAForm),
          UploadTooLarge: ({ limitBytes }) => Effect.fail(fileTooLarge(limitBytes)),
          UnsupportedFile: ({ reason }) => Effect.fail(invalid(`file: ${reason}`)),
          QuotaExceeded: (error) => Effect.fail(overQuota(error))
        }),
        Effect.ensuring(runOut(request))
      )
)

/** What was not read is let run out, or the client never gets to read the answer. */
const runOut = (request: HttpServerRequest) =>
  Effect.sync(() => {
    NodeHttpServerRequest.toIncomingMessage(request).resume()
  })

const overQuota = ({ what, reason }: QuotaExceeded): Refused =>
  what === "bytes"
    ? new Refused({ status: 413, text: reason })
    : new Refused({
        status: 429,
        text: reason,
        ...(what === "uploads" ? { retryAfterSeconds: 5 } : {})
      })

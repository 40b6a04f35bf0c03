import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Multipart from "@effect/platform/Multipart"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { ChatId, FlowId, paging, queryChatId, queryFlowId } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"

const flowId = HttpApiSchema.param("flow_id", FlowId)

const FileId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-f]{32}$/, { message: () => "must be a file's id: 32 hex digits" })
)

const fileId = HttpApiSchema.param("file_id", FileId)

const key = HttpApiSchema.param("key", Schema.String)

const Uploaded = Schema.Struct({
  /** What the file is called in later requests. */
  file_path: Schema.String,
  file_id: Schema.String,
  file_name: Schema.String,
  bytes: Schema.Int,
  file_url: Schema.String.annotations({ description: "a signed link, which works for FILE_LINK_TTL" })
})

export const Listed = Schema.Struct({
  ...Uploaded.fields,
  flow_id: Schema.String,
  chat_id: Schema.String.annotations({ description: '"": all of the app\'s' }),
  purpose: Schema.Literal("document", "made", "template").annotations({
    description: "document: given to answer from; made: written by the server"
  }),
  media_type: Schema.String,
  create_time: Schema.Date
}).annotations({ identifier: "StoredFile" })

export const files = HttpApiGroup.make("files")
  .add(
    HttpApiEndpoint.post("upload")`/upload/${flowId}`
      .setUrlParams(Schema.Struct({ chat_id: queryChatId }))
      .setPayload(
        HttpApiSchema.MultipartStream(
          Schema.Struct({ file: Multipart.SingleFileSchema, chat_id: Schema.optional(ChatId) })
        )
      )
      .addSuccess(Envelope(Uploaded))
      .addError(refusal(403, "this app or chat is not yours"))
      .addError(refusal(404, "there is no such app"))
      .addError(refusal(413, "the file is larger than MAX_UPLOAD_BYTES, or than what you may keep in all"))
      .addError(refusal(429, "you keep too many files, or too many of your uploads are going on"))
      .annotate(
        OpenApi.Description,
        "Gives the app a file to answer from, for oneself (an app's owner: for all its users). With `chat_id`, in the query or the form, it belongs to that chat and goes with it. The first part that is a file is taken; it must be what its name says."
      )
  )
  .add(
    HttpApiEndpoint.get("listFiles", "/files")
      .setUrlParams(
        Schema.Struct({ flow_id: queryFlowId, chat_id: queryChatId, page: paging.page, limit: paging.limit })
      )
      .addSuccess(Envelope(Schema.Struct({ data: Schema.Array(Listed), total: Schema.Int })))
      .annotate(OpenApi.Description, "One's own files, newest first: given to apps, and made by the server.")
  )
  .add(
    HttpApiEndpoint.del("deleteFile")`/files/${fileId}`
      .addSuccess(Envelope(Schema.Null))
      .addError(refusal(403, "this file is not yours"))
      .addError(refusal(404, "there is no such file"))
      .annotate(OpenApi.Description, "Deletes a file of one's own; links to it stop working.")
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Documents to answer from")

export const downloads = HttpApiGroup.make("downloads")
  .add(
    HttpApiEndpoint.get("download")`/files/${key}`
      .addSuccess(HttpApiSchema.Uint8Array({ contentType: "application/octet-stream" }))
      .addError(refusal(401, "not a signed link, and you are not signed in"))
      .addError(refusal(403, "the link is not ours, or the file is not yours"))
      .addError(refusal(404, "the file does not exist or was deleted"))
      .addError(refusal(410, "the link expired"))
      .annotate(
        OpenApi.Description,
        "A file's bytes, to be saved. The key is that of a signed link, which anybody may follow while it works; or a file's id, for those who may read the file and are signed in."
      )
  )
  .annotate(OpenApi.Description, "Downloads")

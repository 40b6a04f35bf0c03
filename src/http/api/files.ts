import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Multipart from "@effect/platform/Multipart"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { FlowId } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"

const flowId = HttpApiSchema.param("flow_id", FlowId)

const Uploaded = Schema.Struct({
  /** What the file is called in later requests. */
  file_path: Schema.String,
  file_id: Schema.String,
  file_name: Schema.String,
  bytes: Schema.Int
})

export const files = HttpApiGroup.make("files")
  .add(
    HttpApiEndpoint.post("upload")`/upload/${flowId}`
      .setPayload(HttpApiSchema.MultipartStream(Schema.Struct({ file: Multipart.SingleFileSchema })))
      .addSuccess(Envelope(Uploaded))
      .addError(refusal(403, "this app is not yours"))
      .addError(refusal(404, "there is no such app"))
      .addError(refusal(413, "the file is larger than MAX_UPLOAD_BYTES"))
      .annotate(
        OpenApi.Description,
        "Gives the app a file to answer from, for oneself (an app's owner: for all its users). The first part that is a file is taken."
      )
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Documents to answer from")

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

const ofApp = Schema.Struct({ flow_id: FlowId })

const Template = Schema.Struct({
  flow_id: Schema.String,
  version: Schema.Int,
  file_id: Schema.String,
  file_name: Schema.String,
  file_url: Schema.String.annotations({ description: "a signed link, which works for FILE_LINK_TTL" }),
  user_id: Schema.Int,
  create_time: Schema.Date
}).annotations({ identifier: "ReportTemplate" })

export const reports = HttpApiGroup.make("reports")
  .add(
    HttpApiEndpoint.post("setTemplate")`/report/template/${flowId}`
      .setPayload(HttpApiSchema.MultipartStream(Schema.Struct({ file: Multipart.SingleFileSchema })))
      .addSuccess(Envelope(Template))
      .addError(refusal(403, "this app is not yours"))
      .addError(refusal(404, "there is no such app"))
      .addError(refusal(413, "the file is larger than MAX_UPLOAD_BYTES, or than what you may keep in all"))
      .addError(refusal(429, "you keep too many files, or too many of your uploads are going on"))
      .annotate(
        OpenApi.Description,
        "The .docx file that the app's reports are filled into, as a new version; `{{name}}` in it stands for a variable."
      )
  )
  .add(
    HttpApiEndpoint.get("template", "/report/template")
      .setUrlParams(ofApp)
      .addSuccess(Envelope(Schema.NullOr(Template)))
      .addError(refusal(403, "this app is not yours"))
      .addError(refusal(404, "there is no such app"))
      .annotate(OpenApi.Description, "The template in use; null: the built-in one.")
  )
  .add(
    HttpApiEndpoint.del("removeTemplate", "/report/template")
      .setUrlParams(ofApp)
      .addSuccess(Envelope(Schema.Null))
      .addError(refusal(403, "this app is not yours"))
      .addError(refusal(404, "there is no such app, or it has no template of its own"))
      .annotate(OpenApi.Description, "Removes all versions; reports are filled into the built-in one again.")
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Templates of reports")

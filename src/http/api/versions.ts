import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { AppData } from "../appData.ts"
import { Envelope } from "../envelope.ts"
import { AppName, Description, FlowId, FlowType, paging, queryFlowId, queryNumber } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"
import { App } from "../views.ts"

const summary = {
  id: Schema.Int,
  flow_id: Schema.String,
  flow_type: FlowType,
  name: Schema.String,
  description: Schema.String,
  user_id: Schema.Int,
  is_current: Schema.Literal(0, 1).annotations({ description: "1: what sessions run" }),
  create_time: Schema.Date,
  update_time: Schema.Date
}

const VersionSummary = Schema.Struct(summary).annotations({ identifier: "VersionSummary" })

export const Version = Schema.Struct({ ...summary, data: Schema.Unknown }).annotations({
  identifier: "Version"
})

const id = HttpApiSchema.param("id", Schema.NumberFromString.pipe(Schema.int(), Schema.positive()))
const notYours = refusal(403, "this app is not yours")
const notThere = refusal(404, "there is no such app, or no such version of it")

const Change = Schema.Struct({
  name: Schema.optional(Schema.NullOr(AppName)),
  description: Schema.optional(Schema.NullOr(Description)),
  data: Schema.optional(Schema.NullOr(AppData))
})

const changed = "Changes what is given. A change of the current version's graph is a change of the app."

/** Which version, by the query as Bisheng's editor sends it, or by the body. */
const choiceQuery = Schema.Struct({
  flow_id: queryFlowId,
  version_id: queryNumber(1, Number.MAX_SAFE_INTEGER)
})

const chosen = "Makes a version the current one: sessions run it from their next question on."

export const versions = HttpApiGroup.make("versions")
  .add(
    HttpApiEndpoint.get("list", "/flows/versions")
      .setUrlParams(Schema.Struct({ flow_id: FlowId, page: paging.page, limit: paging.limit }))
      .addSuccess(Envelope(Schema.Struct({ data: Schema.Array(VersionSummary), total: Schema.Int })))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "An app's versions, newest first, without their graphs.")
  )
  .add(
    HttpApiEndpoint.get("read")`/flows/versions/${id}`
      .addSuccess(Envelope(Version))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "One version with its graph.")
  )
  .add(
    HttpApiEndpoint.post("create", "/flows/versions")
      .setUrlParams(Schema.Struct({ flow_id: queryFlowId }))
      .setPayload(
        Schema.Struct({
          flow_id: Schema.optional(Schema.NullOr(FlowId)),
          name: AppName,
          description: Schema.optional(Schema.NullOr(Description)),
          data: Schema.optional(Schema.NullOr(AppData))
        })
      )
      .addSuccess(Envelope(Version))
      .addError(notYours)
      .addError(notThere)
      .annotate(
        OpenApi.Description,
        "Saves a version beside the current one; without `data`, a copy of the current one. `flow_id` stands in the query or in the body."
      )
  )
  .add(
    HttpApiEndpoint.put("replace")`/flows/versions/${id}`
      .setPayload(Change)
      .addSuccess(Envelope(Version))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, changed)
  )
  .add(
    HttpApiEndpoint.patch("update")`/flows/versions/${id}`
      .setPayload(Change)
      .addSuccess(Envelope(Version))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, changed)
  )
  .add(
    HttpApiEndpoint.del("delete")`/flows/versions/${id}`
      .addSuccess(Envelope(Schema.Null))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "Deletes a version; the current one stays (422).")
  )
  .add(
    HttpApiEndpoint.post("change", "/flows/versions/change")
      .setPayload(Schema.Struct({ flow_id: FlowId, version_id: Schema.Int.pipe(Schema.positive()) }))
      .addSuccess(Envelope(App))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, chosen)
  )
  .add(
    HttpApiEndpoint.post("changeByQuery", "/flows/change_version")
      .setUrlParams(choiceQuery)
      .addSuccess(Envelope(App))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, chosen)
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Versions of skills and workflows")

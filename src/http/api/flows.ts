import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { TemplateValues } from "../../app/templates/SessionTemplate.ts"
import { AppData } from "../appData.ts"
import { Envelope } from "../envelope.ts"
import { AppName, Description, FlowId, FlowStatus, paging, queryFlowType } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"
import { App, page } from "../views.ts"

const id = HttpApiSchema.param("id", FlowId)
const notYours = refusal(403, "this app is not yours")
const notThere = refusal(404, "there is no such app")

export const flows = HttpApiGroup.make("flows")
  .add(
    HttpApiEndpoint.post("create", "/flows")
      .setPayload(
        Schema.Struct({
          name: AppName,
          description: Schema.optional(Schema.NullOr(Description)),
          data: Schema.optional(Schema.NullOr(AppData)),
          flow_type: Schema.Literal(1, 10, 100).annotations({
            description: "1 skill, 10 workflow, 100 remote"
          }),
          status: Schema.optional(FlowStatus)
        })
      )
      .addSuccess(Envelope(App))
      .annotate(
        OpenApi.Description,
        "Makes a skill, a workflow or a remote app of one's own. It is offline unless `status` is 2. No answer ever holds a remote app's secrets."
      )
  )
  .add(
    HttpApiEndpoint.get("list", "/flows")
      .setUrlParams(Schema.Struct({ ...paging, flow_type: queryFlowType }))
      .addSuccess(Envelope(page))
      .annotate(
        OpenApi.Description,
        "One's own apps and everybody's online ones (an admin: all), latest change first."
      )
  )
  .add(
    HttpApiEndpoint.get("read")`/flows/${id}`
      .addSuccess(Envelope(App))
      .addError(notYours)
      .addError(notThere)
      .annotate(
        OpenApi.Description,
        "An app. `data` is whole for its owner; others see the outline of its graph, with what its form asks for, and of remote apps nothing."
      )
  )
  .add(
    HttpApiEndpoint.patch("update")`/flows/${id}`
      .setPayload(
        Schema.Struct({
          name: Schema.optional(AppName),
          description: Schema.optional(Description),
          status: Schema.optional(FlowStatus),
          data: Schema.optional(AppData),
          values: Schema.optional(TemplateValues).annotations({ description: "of a session template" })
        })
      )
      .addSuccess(Envelope(App))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "Changes what is given. `status` 2 puts it online, 1 takes it offline.")
  )
  .add(
    HttpApiEndpoint.del("delete")`/flows/${id}`
      .addSuccess(Envelope(Schema.Null))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "Deletes an app. Its chats stay.")
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Skills, workflows and remote apps")

import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { TemplateValues } from "../../app/templates/SessionTemplate.ts"
import { Envelope } from "../envelope.ts"
import { AppName, Description, FlowId, FlowStatus, FlowType } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"
import { App } from "../views.ts"

const id = HttpApiSchema.param("id", FlowId)

const Lack = Schema.Struct({
  node_id: Schema.String.annotations({ description: '"" where no single node is to blame' }),
  type: Schema.String,
  reason: Schema.String.annotations({
    description: "what this server does not have, or what is wrong with the graph, for people"
  })
})

const Report = Schema.Union(
  Schema.Struct({
    name: Schema.String,
    id: Schema.String,
    flow_type: FlowType,
    status: FlowStatus,
    lacks: Schema.Array(Lack)
  }),
  Schema.Struct({
    name: Schema.NullOr(Schema.String),
    error: Schema.String.annotations({ description: "why it was not imported" })
  })
)

export const imports = HttpApiGroup.make("imports")
  .add(
    HttpApiEndpoint.post("import", "/flows/import")
      .setUrlParams(
        Schema.Struct({
          online: Schema.optional(
            Schema.Literal("true", "false", "").annotations({
              description: "true: apps that lack nothing are put online at once"
            })
          )
        })
      )
      .setPayload(
        Schema.Unknown.annotations({ description: "a file that Bisheng wrote: one app, or an array of them" })
      )
      .addSuccess(Envelope(Schema.Array(Report)))
      .addError(refusal(413, "the file is larger than 16 MiB"))
      .annotate(
        OpenApi.Description,
        "Makes apps of one's own from a file of templates or exports, and tells of each, in their order, its new id and what it would need that this server does not have, or what keeps its graph from being built (a circle, an edge to nowhere). One that is no app does not keep the others out."
      )
  )
  .add(
    HttpApiEndpoint.post("template")`/flows/${id}/templates`
      .setPayload(
        Schema.Struct({
          name: AppName,
          description: Schema.optional(Schema.NullOr(Description)),
          status: Schema.optional(FlowStatus),
          values: TemplateValues,
          guide_word: Schema.optional(Schema.NullOr(Schema.String.pipe(Schema.maxLength(10_000)))),
          guide_question: Schema.optional(
            Schema.NullOr(Schema.Array(Schema.String.pipe(Schema.maxLength(1_000))).pipe(Schema.maxItems(50)))
          )
        })
      )
      .addSuccess(Envelope(App))
      .addError(refusal(403, "this app is not yours, and not online"))
      .addError(refusal(404, "there is no such app"))
      .annotate(
        OpenApi.Description,
        "Makes a session template: an app of one's own that is this one with its files and variables preset. What is built is shared by all templates of an app."
      )
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Apps made from files and from other apps")

import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { AssistantSettings } from "../../app/assistant/AssistantSettings.ts"
import { Envelope } from "../envelope.ts"
import { AppName, Description, FlowId, FlowStatus, paging } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"
import { Assistant, page } from "../views.ts"

const id = HttpApiSchema.param("id", FlowId)
const notYours = refusal(403, "this assistant is not yours")
const notThere = refusal(404, "there is no such assistant")

const settings = {
  ...AssistantSettings.fields,
  knowledge: Schema.optional(Schema.NullOr(Schema.Array(Schema.Unknown).pipe(Schema.maxItems(1_000))))
}

export const assistants = HttpApiGroup.make("assistants")
  .add(
    HttpApiEndpoint.post("create", "/assistant")
      .setPayload(
        Schema.Struct({
          ...settings,
          name: AppName,
          prompt: Schema.String.pipe(Schema.maxLength(100_000)),
          description: Schema.optional(Schema.NullOr(Description)),
          status: Schema.optional(FlowStatus)
        })
      )
      .addSuccess(Envelope(Assistant))
      .annotate(OpenApi.Description, "Makes an assistant of one's own. It is offline unless `status` is 2.")
  )
  .add(
    HttpApiEndpoint.get("list", "/assistant")
      .setUrlParams(Schema.Struct(paging))
      .addSuccess(Envelope(page))
      .annotate(OpenApi.Description, "One's own assistants and everybody's online ones, latest change first.")
  )
  .add(
    HttpApiEndpoint.get("read")`/assistant/info/${id}`
      .addSuccess(Envelope(Assistant))
      .addError(notYours)
      .addError(notThere)
      .annotate(
        OpenApi.Description,
        "An assistant. Its prompt, model, tools and knowledge are for its owner; others get them as null."
      )
  )
  .add(
    HttpApiEndpoint.put("update", "/assistant")
      .setPayload(
        Schema.Struct({
          ...settings,
          id: FlowId,
          name: Schema.optional(AppName),
          description: Schema.optional(Description)
        })
      )
      .addSuccess(Envelope(Assistant))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "Changes what is given; null puts a setting back to its default.")
  )
  .add(
    HttpApiEndpoint.post("status", "/assistant/status")
      .setPayload(Schema.Struct({ id: FlowId, status: FlowStatus }))
      .addSuccess(Envelope(Assistant))
      .addError(notYours)
      .addError(notThere)
      .annotate(
        OpenApi.Description,
        "2 puts it online, 1 takes it offline: the same numbers as for every app."
      )
  )
  .add(
    HttpApiEndpoint.post("remove", "/assistant/delete")
      .setPayload(Schema.Struct({ id: FlowId }))
      .addSuccess(Envelope(Schema.Null))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "The same as DELETE, for clients that only POST.")
  )
  .add(
    HttpApiEndpoint.del("delete")`/assistant/${id}`
      .addSuccess(Envelope(Schema.Null))
      .addError(notYours)
      .addError(notThere)
      .annotate(OpenApi.Description, "Deletes an assistant. Its chats stay.")
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Assistants: a prompt, a model and tools")

import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { FlowId, queryNumber } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"

const flowId = HttpApiSchema.param("flow_id", FlowId)
const notYours = refusal(403, "this app is not yours")
const notThere = refusal(404, "there is no such app, or no such version of it")
const cacheIsDown = refusal(503, "the build cache does not answer; try again")

const version_id = queryNumber(1, Number.MAX_SAFE_INTEGER)
/** Any text: with one, the stored app is built, for whoever may chat with it. */
const chat_id = Schema.optional(Schema.String.pipe(Schema.maxLength(255)))

export const build = HttpApiGroup.make("build")
  .add(
    HttpApiEndpoint.post("init")`/build/init/${flowId}`
      .setUrlParams(Schema.Struct({ version_id }))
      .setPayload(
        Schema.Unknown.annotations({ description: "the graph, or an app with its graph in `data`" })
      )
      .addSuccess(Envelope(Schema.Struct({ flowId: Schema.String })))
      .addError(notYours)
      .addError(notThere)
      .addError(cacheIsDown)
      .annotate(
        OpenApi.Description,
        "Keeps a graph to be built for debug mode, for BUILD_CACHE_TTL. A build in progress is left alone. With `{chat_id}` for a body nothing is kept: `/build/stream` with that `chat_id` builds what is stored."
      )
  )
  .add(
    HttpApiEndpoint.get("stream")`/build/stream/${flowId}`
      .setUrlParams(Schema.Struct({ chat_id, version_id }))
      .addSuccess(HttpApiSchema.Text({ contentType: "text/event-stream" }))
      .addError(notYours)
      .addError(notThere)
      .annotate(
        OpenApi.Description,
        "Builds node by node, as server-sent events: `log` `{log}` and `message` `{valid, params, id, progress}` for each node; `message` `{input_keys, memory_keys, handle_keys}`, or `error` `{error}`; at last `message` `{end_of_stream: true}`."
      )
  )
  .add(
    HttpApiEndpoint.get("status")`/build/${flowId}/status`
      .setUrlParams(Schema.Struct({ version_id }))
      .addSuccess(Envelope(Schema.Struct({ built: Schema.Boolean })))
      .addError(notYours)
      .addError(notThere)
      .addError(cacheIsDown)
      .annotate(OpenApi.Description, "Whether debug mode can open it.")
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Building skills in the editor, before they are stored")

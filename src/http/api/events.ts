import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { ChatId, queryFlowId, queryNumber } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"

const chatId = HttpApiSchema.param("chat_id", ChatId)

export const events = HttpApiGroup.make("events")
  .add(
    HttpApiEndpoint.get("follow")`/chat/${chatId}/events`
      .setUrlParams(
        Schema.Struct({
          flow_id: queryFlowId,
          last_seq: queryNumber(0, Number.MAX_SAFE_INTEGER),
          epoch: Schema.optional(Schema.String.pipe(Schema.maxLength(64)))
        })
      )
      .setHeaders(
        Schema.Struct({
          "last-event-id": Schema.optional(
            Schema.String.annotations({ description: "the `id` of the last event, in place of both" })
          )
        })
      )
      .addSuccess(HttpApiSchema.Text({ contentType: "text/event-stream" }))
      .addError(refusal(403, "this chat is not yours"))
      .addError(refusal(503, "too many connections; try again soon"))
      .annotate(
        OpenApi.Description,
        "The frames of a session as server-sent events, across its runs: `event: session` first, then each frame with `id: <epoch>:<seq>`. With `epoch` and `last_seq`, or `Last-Event-ID`, it goes on from there. A chat that nobody has written in needs `flow_id`. See docs/protocol.md."
      )
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Following a session without a socket")

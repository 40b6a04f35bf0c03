import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { refusal } from "../Refused.ts"

export const health = HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("live", "/health/live")
      .addSuccess(Envelope(Schema.Struct({ status: Schema.Literal("live") })))
      .annotate(OpenApi.Description, "The process answers. Also without /api/v1.")
  )
  .add(
    HttpApiEndpoint.get("ready", "/health/ready")
      .addSuccess(
        Envelope(
          Schema.Struct({
            storage: Schema.Literal("ready"),
            sessions: Schema.Literal("ready"),
            redis: Schema.optional(Schema.Literal("ready")).annotations({ description: "with REDIS_URL" })
          })
        )
      )
      .addError(refusal(503, "`data` says which part is not ready"))
      .annotate(
        OpenApi.Description,
        "The database answers, and Redis where there is one, and new sessions are let in. Also without /api/v1."
      )
  )
  .annotate(OpenApi.Description, "For whoever watches over the server")

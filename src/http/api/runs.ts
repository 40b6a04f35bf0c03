import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { QuestionText, queryChatId, queryNumber, RunId } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"
import { Run } from "../views.ts"

const runId = HttpApiSchema.param("run_id", RunId)
const notYours = refusal(403, "this run is not yours")
const notThere = refusal(404, "there is no such run")

export const runs = HttpApiGroup.make("runs")
  .add(
    HttpApiEndpoint.get("list", "/runs")
      .setUrlParams(Schema.Struct({ chat_id: queryChatId, limit: queryNumber(1, 100) }))
      .addSuccess(Envelope(Schema.Array(Run)))
      .addError(refusal(403, "this chat is not yours"))
      .annotate(
        OpenApi.Description,
        "A chat's runs, newest first. Without `chat_id`: what runs or waits for its turn at this moment, on all nodes, newest first; everybody's for an admin, one's own for others."
      )
  )
  .add(
    HttpApiEndpoint.post("stop")`/runs/${runId}/stop`
      .addSuccess(Envelope(Schema.Struct({ stopped: Schema.Boolean })))
      .addError(notYours)
      .addError(notThere)
      .addError(refusal(503, "the node that runs it does not answer; try again"))
      .annotate(
        OpenApi.Description,
        "Ends a run wherever it runs, or waits for a person; takes a question out of the queue. `stopped` is false where it had ended before."
      )
  )
  .add(
    HttpApiEndpoint.patch("amend")`/runs/${runId}`
      .setPayload(Schema.Struct({ message: QuestionText }))
      .addSuccess(Envelope(Run))
      .addError(notYours)
      .addError(notThere)
      .annotate(
        OpenApi.Description,
        "Changes the text of a question that waits for its turn. `status_code` 13011: it does not wait any more."
      )
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "What answers questions: which run, which wait, and how they are ended")

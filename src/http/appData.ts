/**
 * An app's data as clients send it and as they see it: a graph, or of a remote app its settings, whose secrets
 * come in and never go out.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { firstIssue } from "../app/firstIssue.ts"
import { decodeRemote, keepingSecrets, withoutSecrets } from "../app/remote/RemoteSettings.ts"
import type { FlowType } from "../storage/rows.ts"
import { isGraph } from "./fields.ts"
import { invalid, type Refused } from "./Refused.ts"

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const remote = 100

/** Which of both it must be is told by the kind of the app: `acceptedData`. */
export const AppData = Schema.Unknown.pipe(
  Schema.filter((value): value is object => isObject(value), {
    message: () => 'must be {"nodes": […], "edges": […]}, or the settings of a remote app',
    jsonSchema: {
      type: "object",
      description:
        'A graph, {"nodes": […], "edges": […]}; of a remote app its settings, {"protocol": "openai" or "ag-ui", "url", "model", "api_key", "headers", "timeout", "system", "temperature", "guide_word", "guide_question", "on_disconnect"}. A secret sent back as "********" stays as it was while `url` stays.'
    }
  })
)

/** What is to be stored. `before` is what is stored now, for the secrets that were sent back hidden. */
export const acceptedData = (
  flowType: FlowType,
  sent: unknown,
  before: unknown
): Effect.Effect<unknown, Refused> => {
  if (flowType === remote) {
    // Decoded: a field that is misspelt might hold a secret, and nothing would hide it.
    return decodeRemote(keepingSecrets(sent, isObject(before) ? before : {})).pipe(
      Effect.mapError((error) => invalid(`data: ${firstIssue(error)}`))
    )
  }
  return isGraph(sent)
    ? Effect.succeed(sent)
    : Effect.fail(invalid('data: must be {"nodes": […], "edges": […]}'))
}

/** What its owner sees. */
export const shownData = (flowType: FlowType, data: unknown): unknown =>
  flowType === remote ? withoutSecrets(data) : data

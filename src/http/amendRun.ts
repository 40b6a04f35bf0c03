/** Changes the text of a question that waits for its turn. */
import * as Effect from "effect/Effect"
import { Catalogue } from "../app/Catalogue.ts"
import { Settings } from "../config.ts"
import { SessionBusy } from "../protocol/errors.ts"
import { decodePayload, encodePayload } from "../session/turn.ts"
import { Runs } from "../storage/Runs.ts"
import type { Run } from "../storage/rows.ts"
import { invalid } from "./Refused.ts"

type Inputs = Readonly<Record<string, unknown>>

/** Where the question stands among the inputs: as `answerQuestion` looks for it. */
const questionKey = (inputs: Inputs, inputKey: string): string | undefined =>
  typeof inputs[inputKey] === "string"
    ? inputKey
    : Object.keys(inputs).find((key) => key !== "id" && typeof inputs[key] === "string")

/** The action of whoever simply asks. */
const asks = "default"

export const makeAmendRun = Effect.gen(function* () {
  const runs = yield* Runs
  const catalogue = yield* Catalogue
  const { maxFrameBytes } = yield* Settings

  /** Fails with `SessionBusy` where the question does not wait any more. */
  return (run: Run, message: string) =>
    Effect.gen(function* () {
      if (Buffer.byteLength(message) > maxFrameBytes) {
        return yield* invalid(`message: is larger than ${maxFrameBytes} bytes`)
      }
      if (run.status !== "queued") return yield* new SessionBusy()
      const payload = decodePayload(run.payload)
      const app = yield* catalogue.open(run.flow_id)
      const key = run.action === asks ? questionKey(payload.inputs, app.inputKey) : undefined
      if (key === undefined) return yield* invalid("message: this run was not begun by a question")
      const inputs = { ...payload.inputs, [key]: message }
      const changed = encodePayload({ ...payload, inputs, text: message })
      if (!(yield* runs.amend(run.id, { message, payload: changed }))) return yield* new SessionBusy()
    })
})

import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import { SessionControl } from "../../session/SessionControl.ts"
import { StorageHealth } from "../../storage/StorageHealth.ts"
import { Api } from "../Api.ts"
import { ok } from "../envelope.ts"
import { Refused } from "../Refused.ts"

/** A database that takes longer for nothing is as good as gone. */
const patience = "2 seconds"

export const HealthLive = HttpApiBuilder.group(Api, "health", (handlers) =>
  Effect.gen(function* () {
    const storage = yield* StorageHealth
    const control = yield* SessionControl
    return handlers
      .handle("live", () => Effect.succeed(ok({ status: "live" as const })))
      .handle("ready", () =>
        Effect.gen(function* () {
          const answers = yield* storage.check.pipe(
            Effect.timeout(patience),
            Effect.tapErrorCause((cause) => Effect.logWarning("the database does not answer", cause)),
            Effect.match({ onFailure: () => false, onSuccess: () => true })
          )
          const draining = yield* control.draining
          if (answers && !draining) return ok({ storage: "ready" as const, sessions: "ready" as const })
          return yield* new Refused({
            status: 503,
            text: draining ? "the server is stopping" : "the database does not answer",
            data: { storage: answers ? "ready" : "down", sessions: draining ? "draining" : "ready" }
          })
        })
      )
  })
)

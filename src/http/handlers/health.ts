import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { OptionalRedis } from "../../redis/Redis.ts"
import { SessionControl } from "../../session/SessionControl.ts"
import { StorageHealth } from "../../storage/StorageHealth.ts"
import { Api } from "../Api.ts"
import { ok } from "../envelope.ts"
import { Refused } from "../Refused.ts"

/** What takes longer for nothing is as good as gone. */
const patience = "2 seconds"

const answers = <E>(what: string, check: Effect.Effect<unknown, E>): Effect.Effect<boolean> =>
  check.pipe(
    Effect.timeout(patience),
    Effect.tapErrorCause((cause) => Effect.logWarning(`${what} does not answer`, cause)),
    Effect.match({ onFailure: () => false, onSuccess: () => true })
  )

/** For people: what comes first in the way. */
const complaint = (isDraining: boolean, isStored: boolean): string => {
  if (isDraining) return "the server is stopping"
  return isStored ? "Redis does not answer" : "the database does not answer"
}

const shown = (isUp: boolean) => (isUp ? "ready" : "down")

export const HealthLive = HttpApiBuilder.group(Api, "health", (handlers) =>
  Effect.gen(function* () {
    const storage = yield* StorageHealth
    const control = yield* SessionControl
    const redis = yield* OptionalRedis

    const stored = answers("the database", storage.check)
    /** Where sessions are shared, none can be served without it. */
    const shares = Option.match(redis, {
      onNone: () => Effect.succeedNone,
      onSome: (service) =>
        Effect.asSome(
          answers(
            "Redis",
            service.run("ping", (client) => client.ping())
          )
        )
    })

    return handlers
      .handle("live", () => Effect.succeed(ok({ status: "live" as const })))
      .handle("ready", () =>
        Effect.gen(function* () {
          const [isStored, isShared] = yield* Effect.all([stored, shares], { concurrency: 2 })
          const isDraining = yield* control.draining
          if (isStored && !isDraining && !Option.contains(isShared, false)) {
            const parts = { storage: "ready" as const, sessions: "ready" as const }
            return ok(Option.isNone(isShared) ? parts : { ...parts, redis: "ready" as const })
          }
          return yield* new Refused({
            status: 503,
            text: complaint(isDraining, isStored),
            data: {
              storage: shown(isStored),
              sessions: isDraining ? "draining" : "ready",
              ...(Option.isNone(isShared) ? {} : { redis: shown(isShared.value) })
            }
          })
        })
      )
  })
)

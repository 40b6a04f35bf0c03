/** The catalogue over the stored apps. Built apps stay in this process, bounded by count and idle time. */
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { LanguageModel } from "../model/LanguageModel.ts"
import type { Library } from "../model/Library.ts"
import { AppDeleted, AppNotBuilt, AppOffline } from "../protocol/errors.ts"
import { Flows } from "../storage/Flows.ts"
import type { Flow } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Users } from "../storage/Users.ts"
import { type BuildApp, kindOf, makeBuildApp } from "./buildApp.ts"
import { Catalogue } from "./Catalogue.ts"

const capacity = 1000
const idleTime = Duration.hours(1)

const online = 2

/** One state of an app's record: two readings of the same state are the same key, a change is another. */
class Edition implements Equal.Equal {
  readonly flow: Flow
  private readonly key: string

  constructor(flow: Flow) {
    this.flow = flow
    this.key = `${flow.id} ${flow.version_id} ${flow.update_time.getTime()} ${flow.name}`
  }

  [Hash.symbol](): number {
    return Hash.string(this.key)
  }

  [Equal.symbol](that: unknown): boolean {
    return that instanceof Edition && that.key === this.key
  }
}

export const makeCatalogue = Effect.fnUntraced(function* (buildApp: BuildApp) {
  const flows = yield* Flows
  const users = yield* Users
  const built = yield* Cache.make({
    capacity,
    timeToLive: idleTime,
    lookup: (edition: Edition) => buildApp(edition.flow)
  })

  const build = (flow: Flow) => {
    const edition = new Edition(flow)
    return built.get(edition).pipe(
      // Set again, an app's idle time begins anew.
      Effect.tap((app) => built.set(edition, app)),
      // A failure is not kept: what was missing may be there at the next attempt.
      Effect.tapError(() => built.invalidate(edition)),
      // A caller that leaves in the middle of a build would take along all who wait for it. Building reads
      // and waits for nothing, so nobody is held up.
      Effect.uninterruptible
    )
  }

  const find = (flowId: string): Effect.Effect<Flow, AppDeleted | StorageError> =>
    Effect.flatMap(
      flows.get(flowId),
      Option.match({ onNone: () => Effect.fail(unknownApp(flowId)), onSome: (flow) => Effect.succeed(flow) })
    )

  const mayDebug = (flow: Flow, userId: number): Effect.Effect<boolean, StorageError> =>
    flow.user_id === userId
      ? Effect.succeed(true)
      : Effect.map(
          users.get(userId),
          Option.exists((user) => user.role === "admin")
        )

  return Catalogue.of({
    open: (flowId) =>
      Effect.gen(function* () {
        const flow = yield* find(flowId)
        if (flow.status !== online) {
          return yield* new AppOffline({ flowId, kind: kindOf[flow.flow_type] })
        }
        return yield* build(flow)
      }),
    openDebug: (flowId, userId) =>
      Effect.gen(function* () {
        const flow = yield* find(flowId)
        if (!(yield* mayDebug(flow, userId))) return yield* unknownApp(flowId)
        // A skill in debug mode is what its owner has just built in the editor, not what is stored.
        if (flow.flow_type === 1) return yield* new AppNotBuilt({ flowId, reason: "build the skill first" })
        return yield* build(flow)
      })
  })
})

/** Nothing says what kind an unknown app would have been; skills are what classic clients open by default. */
const unknownApp = (flowId: string) => new AppDeleted({ flowId, kind: "skill" })

export const CatalogueLive: Layer.Layer<Catalogue, never, Flows | Users | LanguageModel | Library> =
  Layer.effect(Catalogue, Effect.flatMap(makeBuildApp, makeCatalogue))

/** The catalogue over the stored apps. Built apps stay in this process, bounded by count and idle time. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { LanguageModel } from "../model/LanguageModel.ts"
import type { Library } from "../model/Library.ts"
import { AppDeleted, AppNotBuilt, AppOffline } from "../protocol/errors.ts"
import { Flows } from "../storage/Flows.ts"
import type { Flow } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Users } from "../storage/Users.ts"
import type { App } from "./App.ts"
import { type BuildApp, kindOf, makeBuildApp } from "./buildApp.ts"
import { Catalogue } from "./Catalogue.ts"

const capacity = 1000
/** Milliseconds. */
const idleTime = 60 * 60 * 1000

const online = 2

/** One state of an app's record: two readings of the same state have the same edition, a change another. */
const editionOf = (flow: Flow): string =>
  `${flow.version_id} ${flow.update_time.getTime()} ${flow.flow_type} ${flow.name}`

interface Kept {
  readonly edition: string
  /** Done when it is built; whoever asks meanwhile waits for it. */
  readonly app: Deferred.Deferred<App, AppNotBuilt>
  readonly usedAt: number
}

export const makeCatalogue = Effect.fnUntraced(function* (buildApp: BuildApp) {
  const flows = yield* Flows
  const users = yield* Users
  /** By app, the one used longest ago first. Not Effect's Cache: it remembers every access until it is full. */
  const kept = new Map<string, Kept>()

  const newest = (flow: Flow, now: number): Kept | undefined => {
    const known = kept.get(flow.id)
    if (known === undefined || known.edition !== editionOf(flow)) return undefined
    return now - known.usedAt > idleTime ? undefined : known
  }

  const keep = (id: string, entry: Kept): void => {
    kept.delete(id)
    kept.set(id, entry)
    for (const oldest of kept.keys()) {
      if (kept.size <= capacity) break
      kept.delete(oldest)
    }
  }

  const build = (flow: Flow): Effect.Effect<App, AppNotBuilt> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const edition = editionOf(flow)
      const known = newest(flow, now)
      const app = known?.app ?? Deferred.unsafeMake<App, AppNotBuilt>(FiberId.none)
      keep(flow.id, { app, edition, usedAt: now })
      if (known !== undefined) return Deferred.await(app)
      return Effect.zipRight(Effect.intoDeferred(buildApp(flow), app), Deferred.await(app)).pipe(
        // A failure is not kept: what was missing may be there at the next attempt.
        Effect.tapError(() => Effect.sync(() => kept.delete(flow.id))),
        // A caller that leaves in the middle of a build must not take along all who wait for it. Building reads
        // and waits for nothing, so nobody is held up.
        Effect.uninterruptible
      )
    })

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

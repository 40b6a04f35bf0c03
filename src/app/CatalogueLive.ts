/** The catalogue over the stored apps and the build cache. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { AppDeleted, AppNotBuilt, AppOffline } from "../protocol/errors.ts"
import { Flows } from "../storage/Flows.ts"
import type { Flow, FlowHead } from "../storage/rows.ts"
import { StorageError } from "../storage/StorageError.ts"
import { Users } from "../storage/Users.ts"
import { Versions } from "../storage/Versions.ts"
import type { App } from "./App.ts"
import type { BuildEntry } from "./BuildCache/fromStore.ts"
import { BuildCache } from "./BuildCache.ts"
import { Builder } from "./Builder.ts"
import { Catalogue } from "./Catalogue.ts"
import { makeKeptApps } from "./keptApps.ts"
import { kindOf } from "./kindOf.ts"
import { filled, type SessionTemplate, templateOf } from "./templates/SessionTemplate.ts"

const online = 2

const editionOf = (flow: FlowHead): string =>
  `${flow.version_id} ${flow.update_time.getTime()} ${flow.flow_type} ${flow.name}`

const makeCatalogue = Effect.gen(function* () {
  const flows = yield* Flows
  const users = yield* Users
  const versions = yield* Versions
  const cache = yield* BuildCache
  const builder = yield* Builder
  const kept = yield* makeKeptApps

  /** Put off until it is needed: a build reads the whole graph. */
  const built = (flow: Flow) => Effect.suspend(() => builder.build(flow))

  const find = (flowId: string): Effect.Effect<Flow, AppDeleted | StorageError> =>
    Effect.flatMap(
      flows.get(flowId),
      Option.match({ onNone: () => Effect.fail(unknownApp(flowId)), onSome: (flow) => Effect.succeed(flow) })
    )

  const isAdmin = (userId: number) =>
    Effect.map(
      users.get(userId),
      Option.exists((user) => user.role === "admin")
    )

  const findToDebug = (flowId: string, userId: number) =>
    Effect.gen(function* () {
      const flow = yield* find(flowId)
      if (flow.user_id !== userId && !(yield* isAdmin(userId))) return yield* unknownApp(flowId)
      return flow
    })

  const stored = (flow: Flow): Effect.Effect<App, AppNotBuilt | StorageError> =>
    Option.match(templateOf(flow), {
      onNone: () => kept.get(flow.id, editionOf(flow), built(flow)),
      onSome: (template) => filledApp(flow, template)
    })

  /** The app that a template is made of, where the template's owner may use it. */
  const baseOf = (flow: Flow, template: SessionTemplate) =>
    Effect.gen(function* () {
      const found = yield* flows.get(template.template_of)
      const notBuilt = (reason: string) => new AppNotBuilt({ flowId: flow.id, reason })
      if (Option.isNone(found)) {
        return yield* notBuilt(
          "the app that this template is made of was deleted; make a template of another one"
        )
      }
      const base = found.value
      if (Option.isSome(templateOf(base))) return yield* notBuilt("a template cannot be made of a template")
      const mayUse = base.status === online || base.user_id === flow.user_id || (yield* isAdmin(flow.user_id))
      if (!mayUse) {
        return yield* notBuilt(
          "the app that this template is made of is not online; its owner can put it online"
        )
      }
      return base
    })

  const filledApp = (flow: Flow, template: SessionTemplate) =>
    Effect.gen(function* () {
      const base = yield* baseOf(flow, template)
      const edition = `${editionOf(flow)} of ${editionOf(base)}`
      const app = kept.get(base.id, editionOf(base), built(base))
      return yield* kept.get(
        flow.id,
        edition,
        Effect.flatMap(app, (app) => filled(flow, template, app)).pipe(
          // Whatever fails in the base is told under the name that was asked for.
          Effect.mapError(({ reason }) => new AppNotBuilt({ flowId: flow.id, reason }))
        )
      )
    })

  /** A skill as its owner has just built it in the editor, not what is stored. */
  const lastBuilt = (flow: Flow, versionId: number | null) =>
    Effect.gen(function* () {
      const entry = yield* cache
        .read({ flowId: flow.id, versionId })
        .pipe(Effect.mapError((cause) => new StorageError({ operation: "read the build cache", cause })))
      if (Option.isNone(entry) || entry.value.status !== "success") {
        return yield* new AppNotBuilt({ flowId: flow.id, reason: whyNot(entry) })
      }
      const { graph, edition } = entry.value
      return yield* kept.get(
        `debug ${flow.id} ${versionId ?? ""}`,
        `${edition} ${flow.name}`,
        built({ ...flow, data: graph })
      )
    })

  const version = (flow: Flow, versionId: number) =>
    Effect.gen(function* () {
      const found = yield* versions.get(versionId)
      if (Option.isNone(found) || found.value.flow_id !== flow.id) {
        return yield* new AppNotBuilt({ flowId: flow.id, reason: `this app has no version ${versionId}` })
      }
      const { data, update_time } = found.value
      return yield* kept.get(
        `debug ${flow.id} ${versionId}`,
        `${update_time.getTime()} ${flow.name}`,
        built({ ...flow, data, version_id: versionId })
      )
    })

  const ifOnline = <F extends FlowHead>(
    found: Option.Option<F>,
    flowId: string,
    use: (flow: F) => ReturnType<Catalogue["Type"]["open"]>
  ): ReturnType<Catalogue["Type"]["open"]> => {
    if (Option.isNone(found)) return unknownApp(flowId)
    const flow = found.value
    return flow.status === online ? use(flow) : new AppOffline({ flowId, kind: kindOf[flow.flow_type] })
  }

  const openWhole = (flowId: string) =>
    Effect.flatMap(flows.get(flowId), (found) => ifOnline(found, flowId, stored))

  return Catalogue.of({
    // No generator, and no graph where it is built already: every socket and every question comes through here.
    open: (flowId) =>
      Effect.flatMap(flows.head(flowId), (found) =>
        ifOnline(found, flowId, (head) => kept.known(head.id, editionOf(head), openWhole(flowId)))
      ),
    openDraft: (flowId, userId, data) =>
      Effect.flatMap(findToDebug(flowId, userId), (flow) => built({ ...flow, data })),
    openDebug: (flowId, userId, versionId) =>
      Effect.gen(function* () {
        const flow = yield* findToDebug(flowId, userId)
        if (flow.flow_type === 1 && Option.isNone(templateOf(flow))) {
          return yield* lastBuilt(flow, versionId ?? null)
        }
        return yield* versionId === undefined ? stored(flow) : version(flow, versionId)
      })
  })
})

/** Nothing says what kind an unknown app would have been; skills are what classic clients open by default. */
const unknownApp = (flowId: string) => new AppDeleted({ flowId, kind: "skill" })

const whyNot = (entry: Option.Option<BuildEntry>): string => {
  if (Option.isNone(entry)) return "build the skill first"
  switch (entry.value.status) {
    case "in_progress":
      return "the skill is being built; wait until that is done"
    case "failure":
      return "the last build failed; mend the graph and build it again"
    default:
      return "build the skill first"
  }
}

export const CatalogueLive: Layer.Layer<Catalogue, never, Flows | Users | Versions | BuildCache | Builder> =
  Layer.effect(Catalogue, makeCatalogue)

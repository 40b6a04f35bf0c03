import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Builder } from "../../app/Builder.ts"
import { importedFrom, itemsOf } from "../../app/import.ts"
import { decodeGraph } from "../../app/skill/Graph.ts"
import { inBuildOrder } from "../../app/skill/order.ts"
import { misfit, templateOf } from "../../app/templates/SessionTemplate.ts"
import type { FlowType } from "../../storage/rows.ts"
import { Api } from "../Api.ts"
import { makeApps } from "../apps.ts"
import { ok } from "../envelope.ts"
import { invalid } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"
import { appView } from "../views.ts"

const offline = 1
const online = 2

const anyKind = (): boolean => true

const nameIn = (item: unknown): string | null =>
  typeof item === "object" && item !== null && "name" in item && typeof item.name === "string"
    ? item.name.slice(0, 255)
    : null

const skill = 1

/** What keeps a skill's graph from being built at all: circles, loose ends. It is imported, to be mended. */
const misshapen = (flowType: FlowType, data: unknown) =>
  Effect.gen(function* () {
    if (flowType !== skill) return []
    return Either.match(
      inBuildOrder(yield* decodeGraph(data), () => null),
      {
        onRight: () => [],
        onLeft: ({ reason, nodes: [first] }) => [
          { nodeId: first?.id ?? "", type: first?.type ?? "graph", reason }
        ]
      }
    )
  })

export const ImportsLive = HttpApiBuilder.group(Api, "imports", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    const builder = yield* Builder

    const imported = (request: HttpServerRequest, item: unknown, putOnline: boolean) =>
      Effect.gen(function* () {
        const read = importedFrom(item)
        if (Either.isLeft(read)) return { name: nameIn(item), error: read.left }
        const { name, description, flowType, data } = read.right
        const lacks = yield* Effect.either(
          Effect.zipWith(builder.lacks(flowType, data), misshapen(flowType, data), (lacks, faults) => [
            ...lacks,
            ...faults
          ])
        )
        if (Either.isLeft(lacks)) return { name, error: lacks.left.reason }
        const flow = yield* apps.create(request, {
          name,
          description,
          flow_type: flowType,
          status: putOnline && lacks.right.length === 0 ? online : offline,
          data
        })
        return {
          name: flow.name,
          id: flow.id,
          flow_type: flow.flow_type,
          status: flow.status,
          lacks: lacks.right.map(({ nodeId, type, reason }) => ({ node_id: nodeId, type, reason }))
        }
      })

    return handlers
      .handle("import", ({ payload, urlParams, request }) =>
        Effect.gen(function* () {
          const items = itemsOf(payload)
          if (Either.isLeft(items)) return yield* invalid(`the body: ${items.left}`)
          const isOnline = urlParams.online === "true"
          return ok(yield* Effect.forEach(items.right, (item) => imported(request, item, isOnline)))
        })
      )
      .handle("template", ({ path, payload, request }) =>
        Effect.gen(function* () {
          const base = yield* apps.toUse(path.id, anyKind)
          if (Option.isSome(templateOf(base))) {
            return yield* invalid("this app is a template itself; make yours of the app that it is made of")
          }
          const app = yield* builder
            .build(base)
            .pipe(Effect.mapError(({ reason }) => invalid(`this app cannot be built: ${reason}`)))
          const wrong = misfit(payload.values, app.form)
          if (wrong !== null) return yield* invalid(wrong)
          const flow = yield* apps.create(request, {
            name: payload.name,
            description: payload.description ?? "",
            flow_type: base.flow_type,
            status: payload.status ?? offline,
            data: {
              template_of: base.id,
              values: payload.values,
              guide_word: payload.guide_word ?? "",
              guide_question: payload.guide_question ?? []
            }
          })
          return ok(appView(flow, yield* CurrentUser, base.data))
        })
      )
  })
)

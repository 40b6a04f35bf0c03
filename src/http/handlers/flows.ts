import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { templateOf } from "../../app/templates/SessionTemplate.ts"
import type { FlowChange } from "../../storage/Flows.ts"
import { Api } from "../Api.ts"
import { acceptedData } from "../appData.ts"
import { makeApps } from "../apps.ts"
import { done, ok } from "../envelope.ts"
import { given } from "../fields.ts"
import { invalid } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"
import { appSummary, appView } from "../views.ts"

const usualPage = 20
const offline = 1
const emptyGraph = { nodes: [], edges: [] }

const anyKind = (): boolean => true

const assistant = 5
const remote = 100

/** What a template's record becomes; undefined where it stays. */
const withValues = (data: unknown, values: unknown): unknown =>
  values === undefined || typeof data !== "object" || data === null ? undefined : { ...data, values }

export const FlowsLive = HttpApiBuilder.group(Api, "flows", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    return handlers
      .handle("create", ({ payload, request }) =>
        Effect.gen(function* () {
          const sent = payload.data ?? (payload.flow_type === remote ? null : emptyGraph)
          if (sent === null) {
            return yield* invalid('data: is missing; say where the service is, at least "protocol" and "url"')
          }
          const flow = yield* apps.create(request, {
            name: payload.name,
            description: payload.description ?? "",
            flow_type: payload.flow_type,
            status: payload.status ?? offline,
            data: yield* acceptedData(payload.flow_type, sent, null)
          })
          return ok(appView(flow, yield* CurrentUser))
        })
      )
      .handle("list", ({ urlParams }) =>
        Effect.gen(function* () {
          const person = yield* CurrentUser
          const { rows, total } = yield* apps.list({
            visibleTo: person.role === "admin" ? null : person.userId,
            flowType: given(urlParams.flow_type, null),
            keyword: urlParams.keyword ?? "",
            onlineOnly: false,
            page: given(urlParams.page, 1),
            limit: given(urlParams.limit, usualPage)
          })
          const data = yield* Effect.forEach(rows, (row) =>
            Effect.map(apps.runs(row), (runs) => appSummary(row, person, runs))
          )
          return ok({ data, total })
        })
      )
      .handle("read", ({ path }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toUse(path.id, anyKind)
          return ok(appView(flow, yield* CurrentUser, yield* apps.runs(flow)))
        })
      )
      .handle("update", ({ path, payload, request }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toAlter(path.id, anyKind)
          // It has settings where other apps have a graph.
          if (payload.data !== undefined && flow.flow_type === assistant) {
            return yield* invalid("data: an assistant's settings are changed by PUT /assistant")
          }
          const template = Option.getOrNull(templateOf(flow))
          if (template !== null && payload.data !== undefined) {
            return yield* invalid("data: a session template has none; change its values")
          }
          if (template === null && payload.values !== undefined) {
            return yield* invalid("values: this app is not a session template")
          }
          const data =
            template !== null
              ? withValues(flow.data, payload.values)
              : payload.data && (yield* acceptedData(flow.flow_type, payload.data, flow.data))
          const change: FlowChange = {
            ...(payload.name === undefined ? {} : { name: payload.name }),
            ...(payload.description === undefined ? {} : { description: payload.description }),
            ...(payload.status === undefined ? {} : { status: payload.status }),
            ...(data === undefined ? {} : { data })
          }
          const changed = yield* apps.update(request, flow, change)
          return ok(appView(changed, yield* CurrentUser, yield* apps.runs(changed)))
        })
      )
      .handle("delete", ({ path, request }) =>
        Effect.gen(function* () {
          yield* apps.remove(request, yield* apps.toAlter(path.id, anyKind))
          return done
        })
      )
  })
)

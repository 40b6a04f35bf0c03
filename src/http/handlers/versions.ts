import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Flow, FlowVersion } from "../../storage/rows.ts"
import { Versions } from "../../storage/Versions.ts"
import { Api } from "../Api.ts"
import { acceptedData, shownData } from "../appData.ts"
import { makeApps } from "../apps.ts"
import { makeAudited } from "../audited.ts"
import { done, ok } from "../envelope.ts"
import { given } from "../fields.ts"
import { invalid, notFound } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"
import { appView } from "../views.ts"

const usualPage = 50

/** Assistants have settings where other apps have a graph. */
const hasGraph = (flow: Flow): boolean => flow.flow_type !== 5

interface Change {
  readonly name?: string | null | undefined
  readonly description?: string | null | undefined
  readonly data?: unknown
}

export const VersionsLive = HttpApiBuilder.group(Api, "versions", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    const versions = yield* Versions
    const audited = yield* makeAudited

    const orNotFound = Option.match({
      onNone: () => Effect.fail(notFound("version")),
      onSome: (version: FlowVersion) => Effect.succeed(version)
    })

    /** A version of an app that the caller may alter. Its graph may hold prompts and keys. */
    const find = (id: number) =>
      Effect.gen(function* () {
        const version = yield* Effect.flatMap(versions.get(id), orNotFound)
        return { version, flow: yield* apps.toAlter(version.flow_id, hasGraph) }
      })

    const change = (request: HttpServerRequest, id: number, { name, description, data }: Change) =>
      Effect.gen(function* () {
        const { version: before, flow } = yield* find(id)
        const accepted = data == null ? null : yield* acceptedData(flow.flow_type, data, before.data)
        const changed = yield* versions.update(id, {
          ...(name == null ? {} : { name }),
          ...(description == null ? {} : { description }),
          ...(accepted === null ? {} : { data: accepted })
        })
        const version = yield* orNotFound(changed)
        yield* audited(request, "app.version.update", flow.id)
        return ok(shown(version, flow))
      })

    const choose = (request: HttpServerRequest, flowId: string, versionId: number) =>
      Effect.gen(function* () {
        const flow = yield* apps.toAlter(flowId, hasGraph)
        if (!(yield* versions.setCurrent(flow.id, versionId))) return yield* notFound("version")
        yield* audited(request, "app.version.choose", flow.id)
        return ok(appView(yield* apps.toAlter(flowId, hasGraph), yield* CurrentUser))
      })

    return handlers
      .handle("list", ({ urlParams }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toAlter(urlParams.flow_id, hasGraph)
          const { rows, total } = yield* versions.list({
            flowId: flow.id,
            page: given(urlParams.page, 1),
            limit: given(urlParams.limit, usualPage)
          })
          return ok({ data: rows.map((row) => summary(row, flow)), total })
        })
      )
      .handle("read", ({ path }) =>
        Effect.map(find(path.id), ({ version, flow }) => ok(shown(version, flow)))
      )
      .handle("create", ({ urlParams, payload, request }) =>
        Effect.gen(function* () {
          const flowId = payload.flow_id ?? given(urlParams.flow_id, null)
          if (flowId === null) return yield* invalid("flow_id: is missing")
          const flow = yield* apps.toAlter(flowId, hasGraph)
          const saved = yield* versions.create({
            flow_id: flow.id,
            user_id: (yield* CurrentUser).userId,
            name: payload.name,
            description: payload.description ?? "",
            data:
              payload.data == null ? flow.data : yield* acceptedData(flow.flow_type, payload.data, flow.data)
          })
          const version = yield* orNotFound(saved)
          yield* audited(request, "app.version.create", flow.id)
          return ok(shown(version, flow))
        })
      )
      .handle("replace", ({ path, payload, request }) => change(request, path.id, payload))
      .handle("update", ({ path, payload, request }) => change(request, path.id, payload))
      .handle("delete", ({ path, request }) =>
        Effect.gen(function* () {
          const { flow } = yield* find(path.id)
          if (!(yield* versions.remove(path.id))) {
            return yield* invalid("this is the current version; make another one current first")
          }
          yield* audited(request, "app.version.delete", flow.id)
          return done
        })
      )
      .handle("change", ({ payload, request }) => choose(request, payload.flow_id, payload.version_id))
      .handle("changeByQuery", ({ urlParams, request }) =>
        Effect.gen(function* () {
          const flowId = given(urlParams.flow_id, null)
          const versionId = given(urlParams.version_id, null)
          if (flowId === null || versionId === null)
            return yield* invalid("flow_id, version_id: both are needed")
          return yield* choose(request, flowId, versionId)
        })
      )
  })
)

const summary = ({ is_current, name, ...version }: Omit<FlowVersion, "data">, flow: Flow) => {
  const current: 0 | 1 = is_current ? 1 : 0
  return {
    ...version,
    name: name === "" ? `v${version.id}` : name,
    flow_type: flow.flow_type,
    is_current: current
  }
}

const shown = (version: FlowVersion, flow: Flow) => ({
  ...summary(version, flow),
  data: shownData(flow.flow_type, version.data)
})

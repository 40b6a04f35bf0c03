import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import type { AssistantSettings } from "../../app/assistant/AssistantSettings.ts"
import type { Flow } from "../../storage/rows.ts"
import { Api } from "../Api.ts"
import { makeApps } from "../apps.ts"
import { done, ok } from "../envelope.ts"
import { given } from "../fields.ts"
import { CurrentUser } from "../SignedIn.ts"
import { appSummary, assistantView } from "../views.ts"

const usualPage = 20
const offline = 1
const flowType = 5

const isAssistant = (flow: Flow): boolean => flow.flow_type === flowType

/** Of a request, what belongs to the assistant's settings; what it does not mention is left out. */
const settingsOf = (payload: AssistantSettings): AssistantSettings => ({
  ...(payload.prompt === undefined ? {} : { prompt: payload.prompt }),
  ...(payload.model === undefined ? {} : { model: payload.model }),
  ...(payload.temperature === undefined ? {} : { temperature: payload.temperature }),
  ...(payload.tools === undefined ? {} : { tools: payload.tools }),
  ...(payload.knowledge === undefined ? {} : { knowledge: payload.knowledge }),
  ...(payload.guide_word === undefined ? {} : { guide_word: payload.guide_word }),
  ...(payload.guide_question === undefined ? {} : { guide_question: payload.guide_question }),
  ...(payload.on_disconnect === undefined ? {} : { on_disconnect: payload.on_disconnect })
})

export const AssistantsLive = HttpApiBuilder.group(Api, "assistants", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps

    const removed = (request: HttpServerRequest, id: string) =>
      Effect.gen(function* () {
        yield* apps.remove(request, yield* apps.toAlter(id, isAssistant))
        return done
      })

    return handlers
      .handle("create", ({ payload, request }) =>
        Effect.gen(function* () {
          const flow = yield* apps.create(request, {
            name: payload.name,
            description: payload.description ?? "",
            flow_type: flowType,
            status: payload.status ?? offline,
            data: settingsOf(payload)
          })
          return ok(assistantView(flow, yield* CurrentUser))
        })
      )
      .handle("list", ({ urlParams }) =>
        Effect.gen(function* () {
          const person = yield* CurrentUser
          const { rows, total } = yield* apps.list({
            visibleTo: person.role === "admin" ? null : person.userId,
            flowType,
            keyword: urlParams.keyword ?? "",
            onlineOnly: false,
            page: given(urlParams.page, 1),
            limit: given(urlParams.limit, usualPage)
          })
          return ok({ data: rows.map((row) => appSummary(row, person)), total })
        })
      )
      .handle("read", ({ path }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toUse(path.id, isAssistant)
          return ok(assistantView(flow, yield* CurrentUser))
        })
      )
      .handle("update", ({ payload, request }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toAlter(payload.id, isAssistant)
          const old = typeof flow.data === "object" && flow.data !== null ? flow.data : {}
          const changed = yield* apps.update(request, flow, {
            ...(payload.name === undefined ? {} : { name: payload.name }),
            ...(payload.description === undefined ? {} : { description: payload.description }),
            data: { ...old, ...settingsOf(payload) }
          })
          return ok(assistantView(changed, yield* CurrentUser))
        })
      )
      .handle("status", ({ payload, request }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toAlter(payload.id, isAssistant)
          const changed = yield* apps.update(request, flow, { status: payload.status })
          return ok(assistantView(changed, yield* CurrentUser))
        })
      )
      .handle("remove", ({ payload, request }) => removed(request, payload.id))
      .handle("delete", ({ path, request }) => removed(request, path.id))
  })
)

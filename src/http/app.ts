/**
 * All of HTTP: the REST API under `/api/v1`, its documentation, health, and the page for everything else.
 *
 * Promises: every answer of the API is an envelope, errors included; nothing is read or done for an origin that
 * is not allowed; no answer tells of the server's inside.
 */

import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Tokens } from "../account/Tokens.ts"
import { Settings } from "../config.ts"
import { Api, apiPrefix } from "./Api.ts"
import { checkJson, maxJsonBytes, refusedBody } from "./body.ts"
import { description, documentation } from "./docs.ts"
import { FileLinksLive } from "./FileLinksLive.ts"
import { answerFailure } from "./failures.ts"
import { AssistantsLive } from "./handlers/assistants.ts"
import { BuildLive } from "./handlers/build.ts"
import { ChatLive } from "./handlers/chat.ts"
import { DownloadsLive } from "./handlers/downloads.ts"
import { EventsLive } from "./handlers/events.ts"
import { FilesLive } from "./handlers/files.ts"
import { FlowsLive } from "./handlers/flows.ts"
import { HealthLive } from "./handlers/health.ts"
import { ImportsLive } from "./handlers/imports.ts"
import { QaLive } from "./handlers/qa.ts"
import { ReportsLive } from "./handlers/reports.ts"
import { RunsLive } from "./handlers/runs.ts"
import { UsersLive } from "./handlers/users.ts"
import { VersionsLive } from "./handlers/versions.ts"
import { corsHeaders, preflight, refusedOrigin } from "./origins.ts"
import { makePage } from "./page.ts"
import { toResponse } from "./Refused.ts"
import { pathOf } from "./request.ts"
import { SignedIn } from "./SignedIn.ts"
import { secured } from "./security.ts"

const Groups = Layer.mergeAll(
  UsersLive,
  ChatLive,
  RunsLive,
  EventsLive,
  FlowsLive,
  VersionsLive,
  ImportsLive,
  BuildLive,
  AssistantsLive,
  FilesLive,
  DownloadsLive,
  QaLive,
  ReportsLive,
  HealthLive
)

const ApiLive = HttpApiBuilder.api(Api).pipe(
  Layer.provide(Groups),
  Layer.provide(Layer.merge(SignedIn.Live, FileLinksLive))
)

const docsPath = `${apiPrefix}/docs`

const Documented = Layer.mergeAll(
  documentation(docsPath),
  description(`${apiPrefix}/openapi.json`),
  HttpApiBuilder.middleware((app) => Effect.catchAllCause(app, answerFailure))
).pipe(Layer.provideMerge(ApiLive))

const Served = Layer.mergeAll(
  Documented,
  HttpApiBuilder.Router.Live,
  HttpApiBuilder.Middleware.layer,
  NodeHttpServer.layerContext
)

/** These answer without the prefix too, where people and watchdogs look for them first. */
const alsoAtRoot: ReadonlyArray<string> = ["/health/live", "/health/ready", "/openapi.json", "/docs"]

const isApi = (path: string): boolean => path === "/api" || path.startsWith("/api/")

export const httpApp = Effect.gen(function* () {
  const { allowedOrigins, maxUploadBytes } = yield* Settings
  const tokens = yield* Tokens
  const context = yield* Layer.build(Served)
  const api = Effect.provide(yield* Effect.provide(HttpApiBuilder.httpApp, context), context)
  const page = Effect.provide(yield* Effect.provide(makePage, context), context)

  const route = (request: HttpServerRequest.HttpServerRequest) => {
    const path = pathOf(request)
    if (alsoAtRoot.includes(path)) {
      const moved = request.modify({ url: `${apiPrefix}${request.url}` })
      return Effect.provideService(api, HttpServerRequest.HttpServerRequest, moved)
    }
    return isApi(path) ? api : page
  }

  const guarded = (request: HttpServerRequest.HttpServerRequest, jsonBytes: number) =>
    Effect.suspend(() => {
      const answer = preflight(request, allowedOrigins)
      if (answer !== null) return Effect.succeed(answer)
      const refused =
        refusedOrigin(request, allowedOrigins) ??
        refusedBody(request, { maxUploadBytes, maxJsonBytes: jsonBytes })
      if (refused !== null) return Effect.succeed(toResponse(refused))
      return Effect.zipRight(checkJson(request), route(request))
    }).pipe(
      Effect.catchAllCause(answerFailure),
      Effect.map((response) =>
        HttpServerResponse.setHeaders(
          secured(response, kindOf(pathOf(request)), allowedOrigins),
          corsHeaders(request, allowedOrigins)
        )
      )
    )

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const began = yield* Clock.currentTimeMillis
    const jsonBytes = yield* Effect.provideService(maxJsonBytes(request), Tokens, tokens)
    const response = yield* Effect.provideService(
      guarded(request, jsonBytes),
      HttpIncomingMessage.MaxBodySize,
      Option.some(FileSystem.Size(jsonBytes))
    )
    const ended = yield* Clock.currentTimeMillis
    // The path alone: a query may hold a token.
    yield* Effect.logDebug(`${request.method} ${pathOf(request)} ${response.status} ${ended - began} ms`)
    return response
  })
})

const kindOf = (path: string): "api" | "docs" | "page" => {
  if (path === docsPath || path === "/docs") return "docs"
  return isApi(path) || alsoAtRoot.includes(path) ? "api" : "page"
}

/**
 * The documentation of the REST API, for programs and for people. It is made when somebody first asks for it, for most
 * servers never: what programs read took a thirtieth of the time to start, and the page is several megabytes of script.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const { Router } = HttpApiBuilder

/** In the format of OpenAPI. */
export const description = (path: `/${string}`) =>
  Router.use((router) =>
    Effect.gen(function* () {
      const { api } = yield* HttpApi.Api
      const made = Effect.suspend(() => Effect.orDie(HttpServerResponse.json(OpenApi.fromApi(api))))
      yield* router.get(path, yield* Effect.cached(Effect.uninterruptible(made)))
    })
  )

/** To look at. */
export const documentation = (path: `/${string}`) =>
  Router.use((router) =>
    Effect.gen(function* () {
      const api = yield* HttpApi.Api
      const page = yield* Effect.cached(
        Effect.gen(function* () {
          const Swagger = yield* Effect.promise(() => import("@effect/platform/HttpApiSwagger"))
          const alone = Swagger.layer({ path }).pipe(Layer.provideMerge(Router.Live))
          return yield* Router.router.pipe(Effect.provide(alone), Effect.provideService(HttpApi.Api, api))
          // What is kept must not be that the first who asked went away.
        }).pipe(Effect.uninterruptible)
      )
      yield* router.get(path, Effect.flatten(page))
    })
  )

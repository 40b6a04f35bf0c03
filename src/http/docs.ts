/**
 * The documentation of the REST API, for people. Its page is several megabytes of script: they are loaded when
 * somebody first asks for it, for most servers never.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const { Router } = HttpApiBuilder

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

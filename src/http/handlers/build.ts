import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { BuildCache } from "../../app/BuildCache.ts"
import { Builder } from "../../app/Builder.ts"
import { type BuildStep, buildFromCache, buildStored } from "../../app/buildSteps.ts"
import type { Flow } from "../../storage/rows.ts"
import { Versions } from "../../storage/Versions.ts"
import { Api } from "../Api.ts"
import { makeApps } from "../apps.ts"
import { ok } from "../envelope.ts"
import { given } from "../fields.ts"
import { invalid, notFound, Refused } from "../Refused.ts"

/** Proxies close connections on which nothing moves. */
const stillThere = "15 seconds"

const anyKind = (): boolean => true

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isGraph = (value: unknown): boolean =>
  isFields(value) && Array.isArray(value["nodes"]) && Array.isArray(value["edges"])

/** The graph alone, or inside what the editor calls an app. */
const graphIn = (body: unknown): unknown =>
  isFields(body) ? [body, body["data"], body["graph_data"]].find(isGraph) : undefined

/** A chat asks for what is stored; the editor sends its graph. */
const asksForStored = (body: unknown): boolean =>
  isFields(body) &&
  typeof body["chat_id"] === "string" &&
  body["chat_id"] !== "" &&
  graphIn(body) === undefined

const cacheIsDown = (error: unknown) =>
  Effect.zipRight(
    Effect.logWarning("the build cache does not answer", error),
    new Refused({ status: 503, text: "the build cache does not answer; try again", retryAfterSeconds: 5 })
  )

export const BuildLive = HttpApiBuilder.group(Api, "build", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    const versions = yield* Versions
    const cache = yield* BuildCache
    const builder = yield* Builder

    /** The app as that version has it. */
    const inVersion = (flow: Flow, versionId: number | null) =>
      Effect.gen(function* () {
        if (versionId === null) return flow
        const found = yield* versions.get(versionId)
        if (Option.isNone(found) || found.value.flow_id !== flow.id) return yield* notFound("version")
        return { ...flow, data: found.value.data, version_id: versionId }
      })

    return handlers
      .handle("init", ({ path, urlParams, payload }) =>
        Effect.gen(function* () {
          if (asksForStored(payload)) {
            const flow = yield* apps.toUse(path.flow_id, anyKind)
            return ok({ flowId: flow.id })
          }
          const flow = yield* apps.toAlter(path.flow_id, anyKind)
          const versionId = given(urlParams.version_id, null)
          yield* inVersion(flow, versionId)
          const graph = graphIn(payload)
          if (graph === undefined) {
            return yield* invalid('the body: send the graph, {"nodes": […], "edges": […]}')
          }
          yield* Effect.catchTag(
            cache.init({ flowId: flow.id, versionId }, graph, flow.user_id),
            "RedisError",
            cacheIsDown
          )
          return ok({ flowId: flow.id })
        })
      )
      .handle("stream", ({ path, urlParams }) =>
        Effect.gen(function* () {
          const versionId = given(urlParams.version_id, null)
          const isChat = given(urlParams.chat_id, "") !== ""
          if (isChat) {
            // Versions are their owner's; a chat is with the current one.
            const flow = yield* apps.toUse(path.flow_id, anyKind)
            return events(buildStored(flow, builder))
          }
          const flow = yield* apps.toAlter(path.flow_id, anyKind)
          return events(
            buildFromCache({ flowId: flow.id, versionId }, yield* inVersion(flow, versionId), {
              cache,
              builder
            })
          )
        })
      )
      .handle("status", ({ path, urlParams }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toAlter(path.flow_id, anyKind)
          const entry = yield* Effect.catchTag(
            cache.read({ flowId: flow.id, versionId: given(urlParams.version_id, null) }),
            "RedisError",
            cacheIsDown
          )
          return ok({ built: Option.exists(entry, ({ status }) => status === "success") })
        })
      )
  })
)

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`

const eventOf = (step: BuildStep): string => {
  switch (step._tag) {
    case "Building":
      return event("log", { log: `Building node ${step.node.type}` })
    case "NodeBuilt":
      return event("message", {
        valid: true,
        params: step.node.type,
        id: step.node.id,
        progress: step.progress
      })
    case "Built":
      return event("message", step.takes)
    case "Failed":
      return event("error", { error: step.reason })
  }
}

const events = (steps: Stream.Stream<BuildStep>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(
    steps.pipe(
      Stream.map(eventOf),
      Stream.concat(Stream.succeed(event("message", { end_of_stream: true }))),
      Stream.merge(Stream.as(Stream.fromSchedule(Schedule.spaced(stillThere)), ": \n\n"), {
        haltStrategy: "left"
      }),
      Stream.encodeText
    ),
    { contentType: "text/event-stream", headers: { "x-accel-buffering": "no" } }
  )

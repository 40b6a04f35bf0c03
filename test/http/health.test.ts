import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { redisServer } from "../support/faults/redis.ts"
import { startFull } from "../support/fullServer.ts"
import { at, startHttp, success } from "./support.ts"

it.scopedLive("a live server says so, at the root and under the prefix", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    for (const path of ["//health/live", "/health/live"]) {
      const answer = yield* server.get(path)
      expect(answer.status).toBe(200)
      expect(answer.body).toEqual(success({ status: "live" }))
    }
  })
)

it.scopedLive("a ready server says so", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    for (const path of ["//health/ready", "/health/ready", "//health/ready?probe=1"]) {
      expect((yield* server.get(path)).body).toEqual(success({ storage: "ready", sessions: "ready" }))
    }
  })
)

it.scopedLive("without its database the server is live, but not ready", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    server.health.breakStorage()
    const ready = yield* server.get("//health/ready")
    expect(ready.status).toBe(503)
    expect(ready.body).toEqual({
      status_code: 503,
      status_message: "the database does not answer",
      data: { storage: "down", sessions: "ready" }
    })
    expect((yield* server.get("//health/live")).status).toBe(200)
  })
)

it.scopedLive("a server that stops is live, but not ready", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    yield* server.drain
    const ready = yield* server.get("/health/ready")
    expect(ready.status).toBe(503)
    expect(ready.body).toMatchObject({ data: { storage: "ready", sessions: "draining" } })
    expect((yield* server.get("/health/live")).status).toBe(200)
  })
)

it.scopedLive("a server with Redis is ready as long as that answers", () =>
  Effect.gen(function* () {
    const redis = yield* redisServer()
    const settings = { redisUrl: Option.some(Redacted.make(redis.url)) }
    const server = yield* startFull({ settings })
    const ready = Effect.promise(async () => {
      const response = await fetch(`${server.origin}/health/ready`)
      const body: unknown = await response.json()
      return { status: response.status, body }
    })
    const up = { status: 200, body: success({ storage: "ready", sessions: "ready", redis: "ready" }) }
    const until = (status: number) =>
      ready.pipe(
        Effect.filterOrFail((answer) => answer.status === status),
        Effect.retry(Schedule.spaced("50 millis")),
        Effect.timeout("15 seconds")
      )
    expect(yield* until(200)).toEqual(up)
    for (const { fails, heals } of [
      { fails: redis.pause, heals: redis.resume },
      { fails: redis.kill, heals: redis.start }
    ]) {
      yield* fails
      expect(yield* until(503)).toEqual({
        status: 503,
        body: {
          status_code: 503,
          status_message: "Redis does not answer",
          data: { storage: "ready", sessions: "ready", redis: "down" }
        }
      })
      expect((yield* Effect.promise(() => fetch(`${server.origin}/health/live`))).status).toBe(200)
      yield* heals
      expect(yield* until(200)).toEqual(up)
    }
  })
)

it.scopedLive("the OpenAPI document has every endpoint with its answers, and nothing that is not so", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const answer = yield* server.get("/openapi.json")
    expect((yield* server.get("//openapi.json")).text).toBe(answer.text)
    const paths = at(answer.body, "paths")
    const listed = Object.entries(typeof paths === "object" && paths !== null ? paths : {}).flatMap(
      ([path, methods]) => Object.keys(methods).map((method) => `${method} ${path.slice("/api/v1".length)}`)
    )
    expect(listed.sort()).toEqual(
      [
        "post /user/regist",
        "post /user/login",
        "post /user/guest",
        "post /user/logout",
        "get /user/info",
        "get /chat/history",
        "get /chat/info",
        "get /chat/list",
        "get /chat/online",
        "delete /chat/{chat_id}",
        "get /chat/{chat_id}/events",
        "get /runs",
        "post /runs/{run_id}/stop",
        "patch /runs/{run_id}",
        "post /flows",
        "get /flows",
        "get /flows/{id}",
        "patch /flows/{id}",
        "delete /flows/{id}",
        "get /flows/versions",
        "post /flows/versions",
        "get /flows/versions/{id}",
        "put /flows/versions/{id}",
        "patch /flows/versions/{id}",
        "delete /flows/versions/{id}",
        "post /flows/versions/change",
        "post /flows/change_version",
        "post /flows/import",
        "post /flows/{id}/templates",
        "post /build/init/{flow_id}",
        "get /build/stream/{flow_id}",
        "get /build/{flow_id}/status",
        "post /assistant",
        "get /assistant",
        "put /assistant",
        "get /assistant/info/{id}",
        "post /assistant/status",
        "post /assistant/delete",
        "delete /assistant/{id}",
        "post /upload/{flow_id}",
        "get /files",
        "get /files/{key}",
        "delete /files/{file_id}",
        "get /qa/keyword",
        "post /qa/chunk",
        "post /report/template/{flow_id}",
        "get /report/template",
        "delete /report/template",
        "get /health/live",
        "get /health/ready"
      ].sort()
    )
    const history = at(paths, "/api/v1/chat/history", "get")
    expect(Object.keys(Object(at(history, "responses"))).sort()).toEqual(["200", "401", "403", "422", "500"])
    expect(at(history, "parameters")).toMatchObject([
      { name: "chat_id", required: true },
      { name: "flow_id", required: false },
      { name: "id", required: false },
      { name: "page_size", required: false }
    ])
    expect(at(history, "security")).toEqual([{ query: [] }, { cookie: [] }, { bearer: [] }])
    expect(at(paths, "/api/v1/upload/{flow_id}", "post", "requestBody", "content")).toHaveProperty([
      "multipart/form-data"
    ])
    const events = at(paths, "/api/v1/chat/{chat_id}/events", "get")
    expect(at(events, "responses", "200", "content")).toHaveProperty(["text/event-stream"])
    expect(answer.text).not.toContain("HttpApiDecodeError")
  })
)

it.scopedLive("the documentation is a page that needs no other host", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const answer = yield* server.get("//docs")
    expect((yield* server.get("/docs")).text).toBe(answer.text)
    expect(answer.headers.get("content-type")).toContain("text/html")
    expect(answer.text).toContain("/api/v1/chat/history")
    expect(answer.text).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=["']?(https?:)?\/\//i)
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'")
    expect(answer.headers.get("content-security-policy")).toContain("connect-src 'self'")
  })
)

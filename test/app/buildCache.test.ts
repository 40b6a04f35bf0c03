/** What the build cache promises, wherever it is kept. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { fromStore } from "../../src/app/BuildCache/fromStore.ts"
import { memoryStore } from "../../src/app/BuildCache/memoryStore.ts"
import { redisStore } from "../../src/app/BuildCache/redisStore.ts"
import type { BuildStore } from "../../src/app/BuildCache/Store.ts"
import type { BuildTarget } from "../../src/app/BuildCache.ts"
import { Settings } from "../../src/config.ts"
import { Redis } from "../../src/redis/Redis.ts"
import { testSettings } from "../support/settings.ts"

const graph = { nodes: [{ id: "a", text: "“é”\n" }], edges: [] }

const fresh = (versionId: number | null = null): BuildTarget => ({
  flowId: crypto.randomUUID().replaceAll("-", ""),
  versionId
})

const settings = (ttl: Duration.DurationInput) =>
  Layer.succeed(Settings, Settings.of({ ...testSettings, buildCacheTtl: Duration.decode(ttl) }))

const redisUrl = Config.redacted("TEST_REDIS_URL").pipe(
  Effect.mapError(() => new Error("TEST_REDIS_URL is not set: run npm test, or node scripts/services.mjs"))
)

const redis = Effect.map(
  Effect.flatMap(redisUrl, (url) => Layer.build(Redis.fromUrl(url))),
  Context.get(Redis)
)

const stores: ReadonlyArray<readonly [string, Effect.Effect<BuildStore, unknown, Scope.Scope>]> = [
  ["in memory", memoryStore],
  ["on Redis", Effect.map(redis, redisStore)]
]

for (const [name, store] of stores) {
  /** Real time: Redis measures leases by its own clock. */
  const test = (
    words: string,
    body: (
      cache: Effect.Effect.Success<ReturnType<typeof fromStore>>,
      store: BuildStore
    ) => Effect.Effect<void, unknown, Scope.Scope>,
    {
      lease = "5 seconds",
      ttl = "1 minute"
    }: { lease?: Duration.DurationInput; ttl?: Duration.DurationInput } = {}
  ) =>
    it.scopedLive(words, () =>
      Effect.gen(function* () {
        const made = yield* store
        const cache = yield* Effect.provide(fromStore(made, Duration.decode(lease)), settings(ttl))
        yield* body(cache, made)
      })
    )

  describe(`the build cache ${name}`, () => {
    test("keeps a graph until it is built, by app and by version", (cache) =>
      Effect.gen(function* () {
        const target = fresh()
        expect(yield* cache.read(target)).toEqual(Option.none())
        expect(yield* cache.init(target, graph, 7)).toBe(true)
        expect(Option.getOrThrow(yield* cache.read(target))).toEqual({
          graph,
          userId: 7,
          status: "started",
          edition: ""
        })
        expect(yield* cache.read({ ...target, versionId: 3 })).toEqual(Option.none())
        const claim = yield* cache.claim(target)
        expect(claim.graph).toEqual(graph)
        expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("in_progress")
        expect(yield* claim.finish("success")).toBe(true)
        const built = Option.getOrThrow(yield* cache.read(target))
        expect(built).toMatchObject({ status: "success", graph })
        expect(built.edition).not.toBe("")
      }))

    test("has one builder at a time, and leaves a build in progress alone", (cache) =>
      Effect.gen(function* () {
        const target = fresh(5)
        yield* cache.init(target, graph, 7)
        const tries = yield* Effect.all(
          Array.from({ length: 20 }, () => Effect.either(cache.claim(target))),
          { concurrency: "unbounded" }
        )
        const won = tries.flatMap((one) => (one._tag === "Right" ? [one.right] : []))
        const lost = tries.flatMap((one) => (one._tag === "Left" ? [one.left._tag] : []))
        expect(won).toHaveLength(1)
        expect(new Set(lost)).toEqual(new Set(["BuildBusy"]))
        expect(yield* cache.init(target, { nodes: ["other"] }, 8)).toBe(false)
        expect(Option.getOrThrow(yield* cache.read(target))).toMatchObject({ graph, userId: 7 })
        yield* won[0]?.finish("failure") ?? Effect.void
        expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("failure")
        expect(yield* cache.init(target, { nodes: ["other"] }, 8)).toBe(true)
        expect(Option.getOrThrow(yield* cache.read(target))).toMatchObject({ status: "started", userId: 8 })
      }))

    test("says that there is nothing to build", (cache) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(cache.claim(fresh()))).toMatchObject({ _tag: "BuildMissing" })
      }))

    test("is free again at once when its builder leaves without a word", (cache) =>
      Effect.gen(function* () {
        const target = fresh()
        yield* cache.init(target, graph, 7)
        yield* Effect.scoped(cache.claim(target))
        expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("started")
        yield* cache.claim(target)
      }))

    test(
      "keeps a builder that works longer than a lease",
      (cache, store) =>
        Effect.gen(function* () {
          const target = fresh()
          yield* cache.init(target, graph, 7)
          const claim = yield* cache.claim(target)
          // Another entry's lease, taken now and renewed by nobody, tells when one is over.
          const clock = `clock_${target.flowId}`
          yield* store.init(clock, { graph: "{}", userId: 1 }, 60_000)
          yield* store.claim(clock, "nobody", 600, 60_000)
          yield* Effect.repeat(store.read(clock), {
            until: Option.exists(({ status }) => status === "started"),
            schedule: Schedule.spaced("20 millis")
          })
          expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("in_progress")
          expect(yield* claim.finish("success")).toBe(true)
        }),
      { lease: "300 millis" }
    )

    test("frees what a vanished builder held once its lease is over, and ignores what it says later", (cache, store) =>
      Effect.gen(function* () {
        const target = fresh()
        const key = `flow_data_${target.flowId}`
        yield* cache.init(target, graph, 7)
        yield* store.claim(key, "vanished", 300, 60_000)
        expect(yield* Effect.flip(Effect.scoped(cache.claim(target)))).toMatchObject({ _tag: "BuildBusy" })
        const claim = yield* Effect.retry(cache.claim(target), {
          schedule: Schedule.spaced("20 millis"),
          times: 500
        })
        expect(yield* store.finish(key, "vanished", "failure", 60_000)).toBe(false)
        expect(yield* store.renew(key, "vanished", 300, 60_000)).toBe(false)
        expect(yield* claim.finish("success")).toBe(true)
        expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("success")
      }))

    test(
      "forgets after its time",
      (cache) =>
        Effect.gen(function* () {
          const target = fresh()
          yield* cache.init(target, graph, 7)
          yield* Effect.repeat(cache.read(target), {
            until: Option.isNone,
            schedule: Schedule.spaced("20 millis")
          })
        }),
      { ttl: "200 millis" }
    )
  })
}

it.effect(
  "in memory, a builder's lease runs as long as the builder, and not a moment longer than it is promised",
  () =>
    Effect.gen(function* () {
      const store = yield* memoryStore
      const cache = yield* Effect.provide(fromStore(store, Duration.seconds(15)), settings("10 minutes"))
      const target = fresh()
      const key = `flow_data_${target.flowId}`
      yield* cache.init(target, graph, 7)
      const scope = yield* Scope.make()
      yield* Scope.extend(cache.claim(target), scope)
      yield* TestClock.adjust("1 hour")
      expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("in_progress")
      yield* Scope.close(scope, Exit.void)
      yield* store.claim(key, "vanished", 15_000, 600_000)
      yield* TestClock.adjust("14999 millis")
      expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("in_progress")
      yield* TestClock.adjust("1 millis")
      expect(Option.getOrThrow(yield* cache.read(target)).status).toBe("started")
      yield* TestClock.adjust("10 minutes")
      expect(yield* cache.read(target)).toEqual(Option.none())
    })
)

it.scopedLive("on Redis, an entry is the hash that Bisheng's tools know, and expires", () =>
  Effect.gen(function* () {
    const service = yield* redis
    const cache = yield* Effect.provide(fromStore(redisStore(service)), settings("10 minutes"))
    const target = fresh(12)
    yield* cache.init(target, graph, 7)
    const key = `flow_data_${target.flowId}_12`
    const fields = yield* service.run("hgetall", (client) => client.hgetall(key))
    expect(fields).toMatchObject({ graph_data: JSON.stringify(graph), status: "started" })
    const ttl = yield* service.run("ttl", (client) => client.ttl(key))
    expect(ttl).toBeGreaterThan(590)
    expect(ttl).toBeLessThanOrEqual(600)
  })
)

const holder = fileURLToPath(new URL("./buildCacheHolder.ts", import.meta.url))

it.scopedLive("on Redis, a build whose server is killed can be built again by another", () =>
  Effect.gen(function* () {
    const url = yield* redisUrl
    const cache = yield* Effect.provide(
      fromStore(redisStore(yield* redis), Duration.seconds(1)),
      settings("1 minute")
    )
    const target = fresh()
    yield* cache.init(target, graph, 7)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--import", "tsx", holder, target.flowId], {
          stdio: ["ignore", "pipe", "inherit"],
          env: { PATH: process.env["PATH"], REDIS_URL: Redacted.value(url) }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    yield* Effect.async<void>((resume) => {
      createInterface({ input: child.stdout }).once("line", () => resume(Effect.void))
    })
    expect(yield* Effect.flip(Effect.scoped(cache.claim(target)))).toMatchObject({ _tag: "BuildBusy" })
    yield* Effect.async<void>((resume) => {
      child.once("exit", () => resume(Effect.void))
      child.kill("SIGKILL")
    })
    const claim = yield* Effect.retry(cache.claim(target), {
      schedule: Schedule.spaced("50 millis"),
      times: 200
    })
    expect(claim.graph).toEqual(graph)
    expect(yield* claim.finish("success")).toBe(true)
  })
)

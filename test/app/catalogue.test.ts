import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { App, Form } from "../../src/app/App.ts"
import { BuildCache } from "../../src/app/BuildCache.ts"
import { Builder, type BuilderService } from "../../src/app/Builder.ts"
import { Catalogue } from "../../src/app/Catalogue.ts"
import { CatalogueLive } from "../../src/app/CatalogueLive.ts"
import { Settings } from "../../src/config.ts"
import { AppNotBuilt } from "../../src/protocol/errors.ts"
import type { NewFlow } from "../../src/storage/Flows.ts"
import { testBuilder } from "../support/builder.ts"
import { testSettings } from "../support/settings.ts"
import { promptGraph } from "./graphs.ts"
import { makeShelf } from "./shelf.ts"

const id = "d".repeat(32)

const assistant: NewFlow = {
  id,
  name: "Helper",
  description: "",
  flow_type: 5,
  status: 2,
  user_id: 2,
  data: { prompt: "Be brief." }
}
const skill: NewFlow = { ...assistant, flow_type: 1, data: promptGraph("{input}") }
const workflow: NewFlow = { ...assistant, flow_type: 10, data: { nodes: [], edges: [] } }

const cache = Layer.provide(BuildCache.Memory, Layer.succeed(Settings, Settings.of(testSettings)))

const appOf = (flowId: string, name: string): App => ({
  flowId,
  flowType: 5,
  kind: "assistant",
  name,
  onDisconnect: "continue",
  inputKey: "input",
  answer: () => {
    throw new Error("nobody asks")
  }
})

/** Runs a test against the catalogue, with these apps on the shelf. */
const withCatalogue = <A, E>(
  apps: ReadonlyArray<NewFlow>,
  test: (catalogue: typeof Catalogue.Service, shelf: ReturnType<typeof makeShelf>) => Effect.Effect<A, E>
) => {
  const shelf = makeShelf()
  for (const app of apps) shelf.put(app)
  return Effect.flatMap(Catalogue, (catalogue) => test(catalogue, shelf)).pipe(
    Effect.provide(CatalogueLive.pipe(Layer.provide(Layer.mergeAll(shelf.layer, cache, testBuilder))))
  )
}

describe("opening an app", () => {
  it.effect("answers it by its kind", () =>
    withCatalogue([assistant, { ...skill, id: "e".repeat(32) }], (catalogue) =>
      Effect.gen(function* () {
        expect(yield* catalogue.open(id)).toMatchObject({
          kind: "assistant",
          flowType: 5,
          name: "Helper",
          flowId: id
        })
        expect(yield* catalogue.open("e".repeat(32))).toMatchObject({
          kind: "skill",
          flowType: 1,
          inputKey: "input"
        })
      })
    )
  )

  it.effect("refuses one that does not exist or was deleted", () =>
    withCatalogue([assistant], (catalogue, shelf) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(catalogue.open("f".repeat(32)))).toMatchObject({
          _tag: "AppDeleted",
          kind: "skill"
        })
        yield* catalogue.open(id)
        shelf.remove(id)
        expect(yield* Effect.flip(catalogue.open(id))).toMatchObject({ _tag: "AppDeleted", flowId: id })
      })
    )
  )

  it.effect("refuses one that is offline, and sees it go on and off", () =>
    withCatalogue(
      [
        { ...assistant, status: 1 },
        { ...skill, id: "e".repeat(32), status: 1 }
      ],
      (catalogue, shelf) =>
        Effect.gen(function* () {
          expect(yield* Effect.flip(catalogue.open(id))).toMatchObject({
            _tag: "AppOffline",
            kind: "assistant"
          })
          expect(yield* Effect.flip(catalogue.open("e".repeat(32)))).toMatchObject({
            _tag: "AppOffline",
            kind: "skill"
          })
          shelf.change(id, { status: 2 })
          yield* catalogue.open(id)
          shelf.change(id, { status: 1 })
          expect(yield* Effect.flip(catalogue.open(id))).toMatchObject({ _tag: "AppOffline" })
        })
    )
  )

  it.effect("says why one cannot be built", () =>
    withCatalogue([workflow, { ...skill, id: "e".repeat(32), data: {} }], (catalogue) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(catalogue.open(id))).toMatchObject({
          _tag: "AppNotBuilt",
          reason: "the graph has no nodes"
        })
        expect(yield* Effect.flip(catalogue.open("e".repeat(32)))).toMatchObject({ _tag: "AppNotBuilt" })
      })
    )
  )

  it.effect("sees a change of its name or its settings", () =>
    withCatalogue([assistant], (catalogue, shelf) =>
      Effect.gen(function* () {
        const before = yield* catalogue.open(id)
        expect(yield* catalogue.open(id)).toBe(before)
        shelf.change(id, { name: "Renamed" })
        expect((yield* catalogue.open(id)).name).toBe("Renamed")
        shelf.change(id, { data: { tools: ["nothing_here"] } })
        expect(yield* Effect.flip(catalogue.open(id))).toMatchObject({ _tag: "AppNotBuilt" })
        shelf.change(id, { data: { tools: [] } })
        expect((yield* catalogue.open(id)).kind).toBe("assistant")
      })
    )
  )
})

describe("opening an app to debug it", () => {
  it.effect("is for its owner and the admin, online or not", () =>
    withCatalogue([{ ...assistant, status: 1 }], (catalogue) =>
      Effect.gen(function* () {
        expect((yield* catalogue.openDebug(id, 2)).name).toBe("Helper")
        expect((yield* catalogue.openDebug(id, 1)).name).toBe("Helper")
        for (const other of [3, 99]) {
          expect(yield* Effect.flip(catalogue.openDebug(id, other))).toMatchObject({
            _tag: "AppDeleted",
            kind: "skill"
          })
        }
        expect(yield* Effect.flip(catalogue.openDebug("f".repeat(32), 2))).toMatchObject({
          _tag: "AppDeleted"
        })
      })
    )
  )

  /** A catalogue whose apps repeat what they were built of, with its build cache. */
  const debugged = Effect.gen(function* () {
    const shelf = makeShelf()
    const builds: Array<unknown> = []
    const builder = Layer.succeed(Builder, {
      build: (flow) => {
        builds.push(flow.data)
        return Effect.succeed(appOf(flow.id, JSON.stringify(flow.data)))
      },
      lacks: () => Effect.succeed([])
    })
    const services = yield* Layer.build(
      CatalogueLive.pipe(Layer.provideMerge(cache), Layer.provide(Layer.mergeAll(shelf.layer, builder)))
    )
    return {
      shelf,
      builds,
      catalogue: Context.get(services, Catalogue),
      cache: Context.get(services, BuildCache)
    }
  })

  it.scoped("opens a skill as it was built last, and only when that went well", () =>
    Effect.gen(function* () {
      const { shelf, builds, catalogue, cache } = yield* debugged
      shelf.put(skill)
      const target = { flowId: id, versionId: null }
      const refused = Effect.map(Effect.flip(catalogue.openDebug(id, 2)), (error) =>
        error._tag === "AppNotBuilt" ? error.reason : error._tag
      )
      expect(yield* refused).toBe("build the skill first")
      yield* cache.init(target, { nodes: ["mine"] }, 2)
      expect(yield* refused).toBe("build the skill first")
      const finish = (status: "success" | "failure") =>
        Effect.scoped(Effect.flatMap(cache.claim(target), (claim) => claim.finish(status)))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const claim = yield* cache.claim(target)
          expect(yield* refused).toContain("is being built")
          yield* claim.finish("failure")
        })
      )
      expect(yield* refused).toContain("the last build failed")
      expect(builds).toEqual([])
      yield* finish("success")
      const first = yield* catalogue.openDebug(id, 2)
      expect(first.name).toBe('{"nodes":["mine"]}')
      expect(yield* catalogue.openDebug(id, 1)).toBe(first)
      expect(builds).toHaveLength(1)
      // Sessions still have what is stored.
      expect((yield* catalogue.open(id)).name).toBe(JSON.stringify(skill.data))
      yield* finish("success")
      expect(yield* catalogue.openDebug(id, 2)).not.toBe(first)
      yield* TestClock.adjust("11 minutes")
      expect(yield* refused).toBe("build the skill first")
    })
  )

  it.scoped("opens the version that is asked for", () =>
    Effect.gen(function* () {
      const { shelf, catalogue, cache } = yield* debugged
      shelf.put(skill)
      const flow = shelf.put({ ...workflow, id: "e".repeat(32) })
      shelf.save({
        ...flow,
        id: 77,
        flow_id: flow.id,
        data: { nodes: ["saved"] },
        is_current: false
      })
      expect((yield* catalogue.openDebug(flow.id, 2)).name).toBe(JSON.stringify(workflow.data))
      expect((yield* catalogue.openDebug(flow.id, 2, 77)).name).toBe('{"nodes":["saved"]}')
      expect(yield* Effect.flip(catalogue.openDebug(flow.id, 2, 78))).toMatchObject({
        _tag: "AppNotBuilt",
        reason: "this app has no version 78"
      })
      const target = { flowId: id, versionId: 5 }
      yield* cache.init(target, { nodes: ["five"] }, 2)
      yield* Effect.scoped(Effect.flatMap(cache.claim(target), (claim) => claim.finish("success")))
      expect((yield* catalogue.openDebug(id, 2, 5)).name).toBe('{"nodes":["five"]}')
      expect(yield* Effect.flip(catalogue.openDebug(id, 2))).toMatchObject({ _tag: "AppNotBuilt" })
    })
  )
})

describe("a session template", () => {
  const templateId = "c".repeat(32)
  const form = (builds: Array<unknown>, base: App): Form => ({
    questions: [],
    files: [{ nodeId: "file", label: "File" }],
    variables: [{ nodeId: "var", names: ["city"] }],
    takesQuestion: true,
    fill: (values) => {
      builds.push(values)
      return Effect.succeed({ ...base, inputKey: values.variables["var"]?.["city"] ?? "" })
    }
  })

  const made = Effect.gen(function* () {
    const shelf = makeShelf()
    const builds: Array<string> = []
    const fills: Array<unknown> = []
    const builder = Layer.succeed(Builder, {
      build: (flow) => {
        builds.push(flow.id)
        const base = appOf(flow.id, flow.name)
        return Effect.succeed({ ...base, form: form(fills, base) })
      },
      lacks: () => Effect.succeed([])
    })
    const catalogue = yield* Effect.provide(
      Catalogue,
      CatalogueLive.pipe(Layer.provide(Layer.mergeAll(shelf.layer, cache, builder)))
    )
    shelf.put({ ...skill, name: "Base" })
    const template = (city: string): NewFlow => ({
      ...skill,
      id: templateId,
      name: `In ${city}`,
      user_id: 3,
      data: { template_of: id, values: { variables: { var: { city } } } }
    })
    shelf.put(template("Paris"))
    return { shelf, builds, fills, catalogue, template }
  })

  it.effect("is the other app with its values, which is built once for all of them", () =>
    Effect.gen(function* () {
      const { shelf, builds, fills, catalogue, template } = yield* made
      shelf.put({ ...template("Rome"), id: "a".repeat(32) })
      const both = yield* Effect.all(
        [templateId, "a".repeat(32), templateId, id].map((one) => catalogue.open(one)),
        { concurrency: "unbounded" }
      )
      expect(both.map(({ flowId, name, inputKey }) => [flowId, name, inputKey])).toEqual([
        [templateId, "In Paris", "Paris"],
        ["a".repeat(32), "In Rome", "Rome"],
        [templateId, "In Paris", "Paris"],
        [id, "Base", "input"]
      ])
      expect(builds).toEqual([id])
      expect(fills).toHaveLength(2)
      expect((yield* catalogue.openDebug(templateId, 3)).name).toBe("In Paris")
      yield* catalogue.open(templateId)
      expect(builds).toEqual([id])
      expect(fills).toHaveLength(2)
    })
  )

  it.effect("sees a change of its app, and of its values", () =>
    Effect.gen(function* () {
      const { shelf, builds, catalogue, template } = yield* made
      yield* catalogue.open(templateId)
      shelf.change(id, { data: { nodes: ["new"] } })
      yield* catalogue.open(templateId)
      expect(builds).toEqual([id, id])
      shelf.change(templateId, { data: template("Rome").data })
      expect((yield* catalogue.open(templateId)).inputKey).toBe("Rome")
      expect(builds).toEqual([id, id])
    })
  )

  it.effect("says in words why it cannot be opened", () =>
    Effect.gen(function* () {
      const { shelf, catalogue } = yield* made
      const why = Effect.map(Effect.flip(catalogue.open(templateId)), (error) =>
        error._tag === "AppNotBuilt" ? error.reason : error._tag
      )
      shelf.change(templateId, { data: { template_of: id, values: { files: { gone: "f" } } } })
      expect(yield* why).toBe('values.files: the app has no input node "gone" for a file any more')
      shelf.change(templateId, { data: { template_of: templateId, values: {} } })
      expect(yield* why).toBe("a template cannot be made of a template")
      shelf.change(templateId, { data: { template_of: id, values: {} } })
      yield* catalogue.open(templateId)
      shelf.change(id, { status: 1 })
      expect(yield* why).toContain("is not online")
      // His own app he may use as it is.
      shelf.change(templateId, { status: 1 })
      expect(yield* why).toBe("AppOffline")
      shelf.put({ ...skill, id: templateId, user_id: 2, data: { template_of: id, values: {} } })
      yield* catalogue.open(templateId)
      shelf.remove(id)
      expect(yield* why).toContain("was deleted")
    })
  )
})

describe("building", () => {
  const app = (name: string): App => appOf(id, name)

  /** A catalogue whose apps are built by this function, with one app on the shelf. */
  const catalogueOf = (build: BuilderService["build"]) => {
    const shelf = makeShelf()
    shelf.put(assistant)
    const builder = Layer.succeed(Builder, { build, lacks: () => Effect.succeed([]) })
    return Effect.provide(
      Catalogue,
      CatalogueLive.pipe(Layer.provide(Layer.mergeAll(shelf.layer, cache, builder)))
    )
  }

  it.effect("is done once, however many sessions ask at the same moment", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      let builds = 0
      const catalogue = yield* catalogueOf(() =>
        Effect.gen(function* () {
          builds++
          yield* Deferred.succeed(begun, undefined)
          yield* Deferred.await(ready)
          return app("one")
        })
      )
      const asking = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 100 }, () => catalogue.open(id)),
          { concurrency: "unbounded" }
        )
      )
      yield* Deferred.await(begun)
      yield* Deferred.succeed(ready, undefined)
      expect(new Set(yield* Fiber.join(asking)).size).toBe(1)
      expect(builds).toBe(1)
    })
  )

  it.effect("goes on for the others when the first who asked has left", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const catalogue = yield* catalogueOf(() =>
        Deferred.succeed(begun, undefined).pipe(Effect.zipRight(Deferred.await(ready)), Effect.as(app("one")))
      )
      const first = yield* Effect.fork(catalogue.open(id))
      yield* Deferred.await(begun)
      const second = yield* Effect.fork(catalogue.open(id))
      yield* Fiber.interruptFork(first)
      yield* Deferred.succeed(ready, undefined)
      expect((yield* Fiber.join(second)).name).toBe("one")
    })
  )

  it.effect("that failed is tried again", () =>
    Effect.gen(function* () {
      let builds = 0
      const catalogue = yield* catalogueOf(() =>
        Effect.suspend(() =>
          ++builds === 1
            ? Effect.fail(new AppNotBuilt({ flowId: id, reason: "not yet" }))
            : Effect.succeed(app("two"))
        )
      )
      expect(yield* Effect.flip(catalogue.open(id))).toMatchObject({ reason: "not yet" })
      expect((yield* catalogue.open(id)).name).toBe("two")
    })
  )

  it.effect("is done again only when nobody opened the app for an hour", () =>
    Effect.gen(function* () {
      let builds = 0
      const catalogue = yield* catalogueOf(() => Effect.sync(() => app(`build ${++builds}`)))
      const opened = () => Effect.map(catalogue.open(id), ({ name }) => name)
      expect(yield* opened()).toBe("build 1")
      for (const _ of [1, 2, 3]) {
        yield* TestClock.adjust("59 minutes")
        expect(yield* opened()).toBe("build 1")
      }
      yield* TestClock.adjust("61 minutes")
      expect(yield* opened()).toBe("build 2")
    })
  )
})

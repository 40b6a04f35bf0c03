import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { App } from "../../src/app/App.ts"
import type { BuildApp } from "../../src/app/buildApp.ts"
import { Catalogue } from "../../src/app/Catalogue.ts"
import { CatalogueLive, makeCatalogue } from "../../src/app/CatalogueLive.ts"
import { LanguageModel } from "../../src/model/LanguageModel.ts"
import { Library } from "../../src/model/Library.ts"
import { AppNotBuilt } from "../../src/protocol/errors.ts"
import type { NewFlow } from "../../src/storage/Flows.ts"
import { promptGraph } from "./graphs.ts"
import { says, scriptedModel } from "./scriptedModel.ts"
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

const model = Layer.succeed(LanguageModel, scriptedModel(says("ok")).service)
const library = Layer.succeed(Library, { search: () => Effect.succeed([]) })

/** Runs a test against the catalogue, with these apps on the shelf. */
const withCatalogue = <A, E>(
  apps: ReadonlyArray<NewFlow>,
  test: (catalogue: typeof Catalogue.Service, shelf: ReturnType<typeof makeShelf>) => Effect.Effect<A, E>
) => {
  const shelf = makeShelf()
  for (const app of apps) shelf.put(app)
  return Effect.flatMap(Catalogue, (catalogue) => test(catalogue, shelf)).pipe(
    Effect.provide(CatalogueLive.pipe(Layer.provide(Layer.mergeAll(shelf.layer, model, library))))
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
          reason: "this version of the server cannot run workflows"
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

  it.effect("needs a skill to be built first", () =>
    withCatalogue([skill, { ...workflow, id: "e".repeat(32) }], (catalogue) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(catalogue.openDebug(id, 2))).toMatchObject({
          _tag: "AppNotBuilt",
          reason: "build the skill first"
        })
        expect(yield* Effect.flip(catalogue.openDebug("e".repeat(32), 2))).toMatchObject({
          _tag: "AppNotBuilt"
        })
      })
    )
  )
})

describe("building", () => {
  const app = (name: string): App => ({
    flowId: id,
    flowType: 5,
    kind: "assistant",
    name,
    onDisconnect: "continue",
    inputKey: "input",
    answer: () => {
      throw new Error("nobody asks")
    }
  })

  /** A catalogue whose apps are built by this function, with one app on the shelf. */
  const catalogueOf = (build: BuildApp) => {
    const shelf = makeShelf()
    shelf.put(assistant)
    return Effect.provide(makeCatalogue(build), shelf.layer)
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

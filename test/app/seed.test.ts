import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import { BuildCache } from "../../src/app/BuildCache.ts"
import { Catalogue } from "../../src/app/Catalogue.ts"
import { CatalogueLive } from "../../src/app/CatalogueLive.ts"
import { chatSkill } from "../../src/app/seed/chat.ts"
import { docsAssistant } from "../../src/app/seed/docs.ts"
import { builtIn, seedApps } from "../../src/app/seed/seed.ts"
import { Settings } from "../../src/config.ts"
import { normalFlowId } from "../../src/protocol/ids.ts"
import { Deltas } from "../../src/protocol/RunEvent.ts"
import { Flows } from "../../src/storage/Flows.ts"
import { testBuilder } from "../support/builder.ts"
import { testSettings } from "../support/settings.ts"
import { makeTranscript } from "./scriptedModel.ts"
import { makeShelf } from "./shelf.ts"

const settings = Layer.succeed(Settings, testSettings)

describe("a fresh start", () => {
  it.effect("has a skill and an assistant that answer", () => {
    const shelf = makeShelf()
    return Effect.gen(function* () {
      yield* seedApps
      const catalogue = yield* Catalogue
      for (const [id, kind] of [
        [chatSkill.id, "skill"],
        [docsAssistant.id, "assistant"]
      ] as const) {
        expect(normalFlowId(id)).toBe(id)
        const app = yield* catalogue.open(id)
        expect(app.kind).toBe(kind)
        const events = yield* app
          .answer({ text: "hi", inputs: {}, userId: 2, history: [] })
          .pipe(Stream.runCollect, Effect.provideService(Deltas, makeTranscript().sink))
        expect([...events]).toMatchObject([{ _tag: "Answered", text: "ok" }])
      }
    }).pipe(
      Effect.provide(
        CatalogueLive.pipe(
          Layer.provideMerge(
            Layer.mergeAll(shelf.layer, Layer.provide(BuildCache.Memory, settings), testBuilder)
          )
        )
      )
    )
  })

  it.effect("of several servers at once makes each app once", () => {
    const shelf = makeShelf()
    return Effect.gen(function* () {
      yield* Effect.all([seedApps, seedApps, seedApps], { concurrency: "unbounded" })
      expect([...shelf.rows.keys()].sort()).toEqual(builtIn.map(({ id }) => id).sort())
    }).pipe(Effect.provide(shelf.layer))
  })

  it.effect("does not bring back what somebody deleted, and starts all the same", () => {
    const shelf = makeShelf()
    return Effect.gen(function* () {
      yield* seedApps
      const flows = yield* Flows
      yield* Effect.forEach(builtIn, ({ id }) => flows.remove(id))
      yield* seedApps
      expect(shelf.rows.size).toBe(0)
    }).pipe(Effect.provide(shelf.layer), Logger.withMinimumLogLevel(LogLevel.None))
  })

  it.effect("leaves a database alone that has an app", () => {
    const shelf = makeShelf()
    shelf.put({
      id: "a".repeat(32),
      name: "mine",
      description: "",
      flow_type: 5,
      status: 1,
      user_id: 2,
      data: {}
    })
    return Effect.gen(function* () {
      yield* seedApps
      expect([...shelf.rows.keys()]).toEqual(["a".repeat(32)])
    }).pipe(Effect.provide(shelf.layer))
  })
})

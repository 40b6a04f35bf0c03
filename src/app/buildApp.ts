/** From an app's record to an app that answers, by its kind. A new kind of app is one file and one case here. */
import * as Effect from "effect/Effect"
import { LanguageModel } from "../model/LanguageModel.ts"
import type { Library } from "../model/Library.ts"
import { AppNotBuilt } from "../protocol/errors.ts"
import type { Flow, FlowType } from "../storage/rows.ts"
import type { App, AppKind } from "./App.ts"
import { buildAssistant } from "./assistant/Assistant.ts"
import { buildSkill } from "./skill/Skill.ts"
import { makeTools } from "./tools/tools.ts"

export type BuildApp = (flow: Flow) => Effect.Effect<App, AppNotBuilt>

export const makeBuildApp: Effect.Effect<BuildApp, never, LanguageModel | Library> = Effect.gen(function* () {
  const model = yield* LanguageModel
  const tools = yield* makeTools
  return (flow) => {
    switch (kindOf[flow.flow_type]) {
      case "skill":
        return buildSkill(flow, model)
      case "assistant":
        return buildAssistant(flow, model, tools)
      case "workflow":
        return Effect.fail(
          new AppNotBuilt({ flowId: flow.id, reason: "this version of the server cannot run workflows" })
        )
    }
  }
})

export const kindOf: Readonly<Record<FlowType, AppKind>> = { 1: "skill", 5: "assistant", 10: "workflow" }

/**
 * From an app's record to an app that answers, by its kind: a new kind of app is one file and one case here.
 * Knows no cache: `Catalogue` keeps what was built for sessions, `buildSteps` tells the editor how a build goes.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config.ts"
import { Documents } from "../knowledge/Documents.ts"
import { Retrieval } from "../knowledge/Retrieval.ts"
import { LanguageModel } from "../model/LanguageModel.ts"
import { Library } from "../model/Library.ts"
import type { AppNotBuilt } from "../protocol/errors.ts"
import type { Flow, FlowType } from "../storage/rows.ts"
import type { App } from "./App.ts"
import { buildAssistant } from "./assistant/Assistant.ts"
import { lacksOf } from "./lacks.ts"
import { buildRemote } from "./remote/Remote.ts"
import { ReportMaker } from "./report/ReportMaker.ts"
import { NodeTypes } from "./skill/nodeTypes.ts"
import { buildSkill } from "./skill/Skill.ts"
import { makeTools } from "./tools/tools.ts"
import type { ReportMaker as WorkflowReports } from "./workflow/ReportMaker.ts"
import { buildWorkflow } from "./workflow/Workflow.ts"

/** A node that is about to be built. */
export type OnNode = (node: { readonly id: string; readonly type: string }) => Effect.Effect<void>

/** What a node needs and this server does not have. `reason` is for people. */
export interface Lack {
  readonly nodeId: string
  readonly type: string
  readonly reason: string
}

export interface BuilderService {
  readonly build: (flow: Flow, onNode?: OnNode) => Effect.Effect<App, AppNotBuilt>
  /** Fails where the data is not what such an app is made of. */
  readonly lacks: (flowType: FlowType, data: unknown) => Effect.Effect<ReadonlyArray<Lack>, AppNotBuilt>
}

export class Builder extends Context.Tag("colloquy/Builder")<Builder, BuilderService>() {
  /** Without a maker of reports, workflows with report nodes lack it. */
  static readonly make = (
    report?: WorkflowReports
  ): Effect.Effect<BuilderService, never, LanguageModel | Library | Documents | Retrieval | Settings> =>
    Effect.gen(function* () {
      const tools = yield* makeTools
      const { webHosts } = yield* Settings
      const bench = {
        model: yield* LanguageModel,
        library: yield* Library,
        documents: yield* Documents,
        retrieval: yield* Retrieval,
        tools,
        nodeTypes: yield* NodeTypes,
        ...(report === undefined ? {} : { report })
      }
      return {
        build: (flow, onNode) => {
          switch (flow.flow_type) {
            case 1:
              return buildSkill(flow, bench, onNode)
            case 5:
              return buildAssistant(flow, bench.model, tools)
            case 100:
              return buildRemote(flow, { webHosts })
            case 10:
              return buildWorkflow(flow, bench)
          }
        },
        lacks: lacksOf(bench, webHosts, bench.nodeTypes)
      }
    })

  static readonly Live = Layer.effect(
    Builder,
    Effect.flatMap(ReportMaker, (maker) =>
      Builder.make({
        make: ({ flowId, userId, fileName, values, sections }) =>
          maker.make({ flowId, userId, chatId: "", name: fileName, values, sections })
      })
    )
  )
}

/** What a record needs that this server does not have, by the kind of app: told at import, before anything runs. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AppNotBuilt } from "../protocol/errors.ts"
import { AssistantSettings, toolNames } from "./assistant/AssistantSettings.ts"
import type { BuilderService, Lack } from "./Builder.ts"
import { firstIssue } from "./firstIssue.ts"
import { remoteLacks } from "./remote/remoteLacks.ts"
import type { NodeTable } from "./skill/nodeTypes.ts"
import { decodeGraph, whatLacks as whatSkillLacks } from "./skill/Skill.ts"
import type { Tools } from "./tools/tools.ts"
import type { WorkflowBench } from "./workflow/NodeType.ts"
import { whatLacks as whatWorkflowLacks } from "./workflow/Workflow.ts"

export const lacksOf =
  (bench: WorkflowBench, webHosts: ReadonlyArray<string>, nodeTypes: NodeTable): BuilderService["lacks"] =>
  (flowType, data) => {
    switch (flowType) {
      case 1:
        return skillLacks(data, nodeTypes)
      case 5:
        return assistantLacks(data, bench.tools)
      case 100:
        return remoteLacks(data, webHosts)
      case 10:
        return Effect.mapError(whatWorkflowLacks(data, bench), ({ reason }) => notBuilt(reason))
    }
  }

const notBuilt = (reason: string) => new AppNotBuilt({ flowId: "", reason })

const skillLacks = (data: unknown, nodeTypes: NodeTable) =>
  Effect.mapBoth(decodeGraph(data), {
    onSuccess: (graph): ReadonlyArray<Lack> => whatSkillLacks(graph, nodeTypes),
    onFailure: ({ reason }) => notBuilt(reason)
  })

const decodeSettings = Schema.decodeUnknown(AssistantSettings)

const assistantLacks = (data: unknown, tools: Tools) =>
  Effect.mapBoth(decodeSettings(data), {
    onSuccess: (settings) =>
      toolNames(settings)
        .filter((name) => !tools.has(name))
        .map(
          (name): Lack => ({
            nodeId: name,
            type: "tool",
            reason: `this server has no tool named "${name}"`
          })
        ),
    onFailure: (error) => notBuilt(`its settings: ${firstIssue(error)}`)
  })

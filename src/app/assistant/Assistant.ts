/** An assistant: an instruction, a model and tools. Built from its record, it answers by {@link converse}. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LanguageModelService, ModelMessage } from "../../model/LanguageModel.ts"
import { AppNotBuilt } from "../../protocol/errors.ts"
import type { Flow } from "../../storage/rows.ts"
import type { App } from "../App.ts"
import { firstIssue } from "../firstIssue.ts"
import { onDisconnectOf } from "../onDisconnect.ts"
import type { Tool } from "../Tool.ts"
import type { Tools } from "../tools/tools.ts"
import { AssistantSettings, toolNames } from "./AssistantSettings.ts"
import { converse } from "./converse.ts"

const decode = Schema.decodeUnknown(AssistantSettings)

export const buildAssistant = (
  flow: Flow,
  model: LanguageModelService,
  tools: Tools
): Effect.Effect<App, AppNotBuilt> =>
  Effect.gen(function* () {
    const settings = yield* decode(flow.data ?? {}).pipe(
      Effect.mapError((error) => notBuilt(flow, `its settings: ${firstIssue(error)}`))
    )
    const chosen = yield* chooseTools(flow, settings, tools)
    const instruction = systemMessages(settings.prompt ?? "")
    return {
      flowId: flow.id,
      flowType: flow.flow_type,
      kind: "assistant",
      name: flow.name,
      onDisconnect: onDisconnectOf(flow.data),
      inputKey: "input",
      // Tools are called once their start was told.
      asksModelFirst: true,
      answer: (question) =>
        converse({
          model,
          modelName: typeof settings.model === "string" && settings.model !== "" ? settings.model : null,
          temperature: settings.temperature ?? null,
          tools: chosen,
          scope: { flowId: flow.id, userId: question.userId },
          messages: [...instruction, ...question.history, { role: "user", content: question.text }]
        })
    }
  })

const chooseTools = (
  flow: Flow,
  settings: AssistantSettings,
  tools: Tools
): Effect.Effect<ReadonlyMap<string, Tool>, AppNotBuilt> => {
  const chosen = new Map<string, Tool>()
  const missing: Array<string> = []
  for (const name of toolNames(settings)) {
    const tool = tools.get(name)
    if (tool === undefined) missing.push(`"${name}"`)
    else chosen.set(name, tool)
  }
  if (missing.length === 0) return Effect.succeed(chosen)
  return Effect.fail(notBuilt(flow, `this server has no tool named ${missing.join(", ")}`))
}

const systemMessages = (prompt: string): ReadonlyArray<ModelMessage> =>
  prompt.trim() === "" ? [] : [{ role: "system", content: prompt }]

const notBuilt = (flow: Flow, reason: string) => new AppNotBuilt({ flowId: flow.id, reason })

/**
 * Agents: a model that calls tools. Whichever notation the node was made for, models are asked for tool calls
 * the way they speak them today; so of the node's texts only the instruction is used, not the format that a
 * model had to write its calls in.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { LanguageModelService, ModelMessage } from "../../../model/LanguageModel.ts"
import { converse } from "../../assistant/converse.ts"
import type { Tool } from "../../Tool.ts"
import { makeChain, skillFailed } from "../chain.ts"
import { textList } from "../fields.ts"
import { fault, named } from "../Graph.ts"
import { lastRounds } from "../history.ts"
import { defineNode, needed, Optional, wired, wiredAll } from "../NodeType.ts"
import type { ModelPart } from "../Part.ts"

export const agent = defineNode({
  types: [
    "AgentInitializer",
    "ChatAgent",
    "ChatglmFunctionsAgent",
    "ConversationalAgent",
    "LLMFunctionsAgent",
    "OpenAIConversationalAgent",
    "OpenAIFunctionsAgent",
    "StructuredChatAgent",
    "ZeroShotAgent",
    "initialize_agent"
  ],
  fields: Schema.Struct({
    prefix: Optional(Schema.Unknown),
    suffix: Optional(Schema.Unknown),
    system_message: Optional(Schema.Unknown),
    input_variables: Optional(Schema.Unknown),
    input_key: Optional(Schema.Unknown)
  }),
  build: (fields, node, bench) =>
    Effect.gen(function* () {
      const model = yield* needed(node, "llm", "Model")
      const memory = yield* wired(node, "memory", "Memory")
      const parts = yield* wiredAll(node, "tools", "Tool")
      const tools = new Map<string, Tool>()
      for (const tool of parts.flatMap((part) => part.tools)) {
        if (tools.has(tool.spec.name)) {
          return yield* fault(`node ${named(node)} has two tools named "${tool.spec.name}"`, node)
        }
        tools.set(tool.spec.name, tool)
      }
      const instruction = [
        plain(fields.system_message),
        plain(fields.prefix),
        beforeFormat(plain(fields.suffix))
      ]
        .filter((text) => text !== "")
        .join("\n\n")
      const system: ReadonlyArray<ModelMessage> =
        instruction === "" ? [] : [{ role: "system", content: instruction }]
      return yield* makeChain(node, {
        inputKey: inputKeyOf(fields.input_key, fields.input_variables),
        outputKey: "output",
        ...(memory === null ? {} : { keys: { memory: [memory.key], handles: [] } }),
        answer: (question) =>
          converse({
            model: asSet(bench.model, model),
            modelName: model.name,
            temperature: model.temperature,
            tools,
            scope: { flowId: bench.flowId, userId: question.userId },
            messages: [
              ...system,
              ...(memory === null ? [] : lastRounds(question.history, memory.rounds)),
              { role: "user", content: question.text }
            ]
          }).pipe(Stream.mapError(({ reason }) => skillFailed(reason)))
      })
    })
})

/** The assistant's loop knows no top_p. */
const asSet = (service: LanguageModelService, { streaming, topP }: ModelPart): LanguageModelService => ({
  ...service,
  generate: (request, sink) => service.generate({ ...request, topP, streaming }, sink)
})

/** A text without variables: they stand for what goes as messages and tools here. */
const plain = (value: unknown): string =>
  typeof value === "string"
    ? value
        .replace(/\{[\w-]*\}/g, "")
        .replace(/(?:You have access to|You can use) the following tools:\s*$/i, "")
        .trim()
    : ""

/** "answer in Chinese.\nBegin!Question: … Thought: …": what follows "Begin!" is the old notation. */
const beforeFormat = (suffix: string): string => {
  const begin = suffix.search(/Begin!|Question:|Thought:|TOOLS\s*\n-+/i)
  return (begin === -1 ? suffix : suffix.slice(0, begin)).trim()
}

const notQuestions = new Set(["agent_scratchpad", "chat_history", "history", "tools", "tool_names"])

const inputKeyOf = (key: unknown, variables: unknown): string => {
  if (typeof key === "string" && key !== "") return key
  const names =
    typeof variables === "string" ? textList(variables) : Array.isArray(variables) ? variables : []
  const free = names.filter((name): name is string => typeof name === "string" && !notQuestions.has(name))
  return free[0] ?? "input"
}

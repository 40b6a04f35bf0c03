/**
 * Every chat model node. Which vendor it names does not matter here: all of them ask the provider that this
 * server is configured with, by the node's model name (the default where it has none) and temperature.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineNode, Optional } from "../NodeType.ts"

/** The editor saves numbers as text now and then, and "" for none. */
const LooseNumber = Schema.Union(Schema.Number, Schema.Literal(""), Schema.NumberFromString)

export const chatModel = defineNode({
  types: [
    "AzureChatOpenAI",
    "BishengLLM",
    "ChatAnthropic",
    "ChatMinimaxAI",
    "ChatOllama",
    "ChatOpenAI",
    "ChatQWen",
    "ChatVertexAI",
    "ChatWenxin",
    "ChatXunfeiAI",
    "ChatZhipuAI",
    "CustomLLMChat",
    "HostBaichuanChat",
    "HostChatGLM",
    "HostLlama2Chat",
    "HostQwen1_5Chat",
    "HostQwenChat",
    "HostYiChat",
    "HostYuanChat",
    "MiniMaxChat",
    "OpenAI",
    "ProxyChatLLM",
    "SenseChat"
  ],
  fields: Schema.Struct({
    model_name: Optional(Schema.String),
    temperature: Optional(LooseNumber)
  }),
  build: ({ model_name, temperature }) =>
    Effect.succeed({
      _tag: "Model",
      name: model_name || null,
      temperature: typeof temperature === "number" ? temperature : null
    })
})

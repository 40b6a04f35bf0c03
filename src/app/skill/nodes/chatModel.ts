/**
 * Every chat model node. Which vendor it names does not matter here: all of them ask the provider that this
 * server is configured with, by the node's model name, temperature and top_p. Where it has no name the default answers, so also for
 * `BishengLLM`, whose `model_id` is a row's number in another installation's database.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { booleanOr, LooseBoolean, LooseNumber, numberOr } from "../fields.ts"
import { defineNode, Optional } from "../NodeType.ts"

export const chatModel = defineNode({
  types: [
    "Anthropic",
    "AzureChatOpenAI",
    "AzureOpenAI",
    "BaichuanChat",
    "BishengLLM",
    "ChatAnthropic",
    "ChatGLM2Host",
    "ChatMinimaxAI",
    "ChatOllama",
    "ChatOpenAI",
    "ChatQWen",
    "ChatTongyi",
    "ChatVertexAI",
    "ChatWenxin",
    "ChatXunfeiAI",
    "ChatZhipuAI",
    "Cohere",
    "CustomLLMChat",
    "HostBaichuanChat",
    "HostChatGLM",
    "HostLlama2Chat",
    "HostQwen1_5Chat",
    "HostQwenChat",
    "HostYiChat",
    "HostYuanChat",
    "Llama2Chat",
    "MiniMaxChat",
    "MoonshotChat",
    "OpenAI",
    "ProxyChatLLM",
    "QianfanChatEndpoint",
    "QwenChat",
    "SenseChat",
    "SparkChat",
    "VertexAI",
    "ZhipuAIChat"
  ],
  fields: Schema.Struct({
    model_name: Optional(Schema.String),
    /** What some vendors' nodes call it. */
    model: Optional(Schema.Unknown),
    temperature: Optional(LooseNumber),
    top_p: Optional(LooseNumber),
    streaming: Optional(LooseBoolean)
  }),
  build: ({ model_name, model, temperature, top_p, streaming }) =>
    Effect.succeed({
      _tag: "Model",
      name: model_name || (typeof model === "string" ? model : "") || null,
      temperature: numberOr(temperature, null),
      topP: numberOr(top_p, null),
      streaming: booleanOr(streaming, true)
    })
})

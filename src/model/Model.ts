/** The model the settings ask for: an OpenAI-compatible server when any of its keys is set, else the offline one. */
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Settings } from "../config.ts"
import type { LanguageModel } from "./LanguageModel.ts"
import type { Library } from "./Library.ts"
import * as Offline from "./Offline.ts"
import * as OpenAi from "./OpenAi.ts"

const defaultBaseUrl = "https://api.openai.com/v1"
const defaultModel = "gpt-4o-mini"

export const layer: Layer.Layer<LanguageModel, ConfigError.ConfigError, Settings | Library> =
  Layer.unwrapEffect(
    Effect.map(Settings, ({ openAi: { apiKey, baseUrl, model } }) =>
      Option.isNone(baseUrl) && Option.isNone(apiKey)
        ? Offline.layer
        : OpenAi.layer({
            baseUrl: Option.getOrElse(baseUrl, () => defaultBaseUrl),
            apiKey,
            model: Option.getOrElse(model, () => defaultModel)
          })
    )
  )

import { expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../src/config.ts"
import { LanguageModel } from "../../src/model/LanguageModel.ts"
import { Library } from "../../src/model/Library.ts"
import * as Model from "../../src/model/Model.ts"

const library = Layer.succeed(Library, Library.of({ search: () => Effect.succeed([]) }))

const labelWith = (environment: Readonly<Record<string, string>>) => {
  const settings = Settings.Env.pipe(
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
  )
  return Effect.map(LanguageModel, (model) => model.label).pipe(
    Effect.provide(Model.layer.pipe(Layer.provide(Layer.merge(settings, library))))
  )
}

it.effect("without any key the offline model answers", () =>
  Effect.gen(function* () {
    expect(yield* labelWith({})).toBe("built-in offline model")
    expect(yield* labelWith({ OPENAI_MODEL: "gpt-4o" })).toBe("built-in offline model")
    expect(yield* labelWith({ OPENAI_API_KEY: "", OPENAI_BASE_URL: "" })).toBe("built-in offline model")
  })
)

it.effect("with an address or a key, that server does", () =>
  Effect.gen(function* () {
    expect(yield* labelWith({ OPENAI_API_KEY: "sk-x" })).toBe("gpt-4o-mini at https://api.openai.com/v1")
    expect(yield* labelWith({ OPENAI_BASE_URL: "http://127.0.0.1:1234/v1", OPENAI_MODEL: "qwen" })).toBe(
      "qwen at http://127.0.0.1:1234/v1"
    )
  })
)

it.effect("an address that is none stops the start with a sentence", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(labelWith({ OPENAI_BASE_URL: "localhost" }))
    expect(String(error)).toContain("OPENAI_BASE_URL")
  })
)

/** A builder that makes apps of all kinds, over a model that says "ok" and documents that nobody has. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Builder } from "../../src/app/Builder.ts"
import { Settings } from "../../src/config.ts"
import { DocumentFailed, Documents } from "../../src/knowledge/Documents.ts"
import { Retrieval } from "../../src/knowledge/Retrieval.ts"
import { LanguageModel } from "../../src/model/LanguageModel.ts"
import { Library } from "../../src/model/Library.ts"
import { says, scriptedModel } from "../app/scriptedModel.ts"
import { testSettings } from "./settings.ts"

const none = () => Effect.fail(new DocumentFailed({ reason: "this test has no documents" }))

/** What `Builder.Live` needs. */
export const builderNeeds = Layer.mergeAll(
  Layer.succeed(LanguageModel, scriptedModel(says("ok")).service),
  Layer.succeed(Library, { search: () => Effect.succeed([]) }),
  Layer.succeed(Documents, { load: none, fetch: none }),
  Layer.succeed(Settings, testSettings),
  Layer.succeed(Retrieval, { index: () => Effect.succeed({ search: () => Effect.succeed([]) }) })
)

export const testBuilder = Layer.provide(
  Layer.effect(
    Builder,
    Effect.suspend(() => Builder.make())
  ),
  builderNeeds
)

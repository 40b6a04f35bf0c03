/**
 * Texts as vectors, for search by meaning.
 *
 * Promises: as many vectors as texts, in their order, all of one length; what is too long for the model is cut.
 * A failed request is tried again where that may help.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ModelError } from "./LanguageModel.ts"

export interface EmbeddingsService {
  /** The model's name; null where none is configured: then `embed` only fails. */
  readonly model: string | null
  readonly embed: (texts: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Float32Array>, ModelError>
}

export class Embeddings extends Context.Tag("colloquy/Embeddings")<Embeddings, EmbeddingsService>() {
  /** Nothing is configured: documents are searched by words alone. */
  static readonly none: Layer.Layer<Embeddings> = Layer.succeed(Embeddings, {
    model: null,
    embed: () =>
      Effect.fail(
        new ModelError({
          kind: "refused",
          reason: "No embedding model is configured. Set OPENAI_EMBEDDING_MODEL."
        })
      )
  })
}

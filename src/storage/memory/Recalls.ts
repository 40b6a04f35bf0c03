import * as Effect from "effect/Effect"
import { maxRecalls, Recalls } from "../Recalls.ts"
import type { MemoryState } from "./state.ts"

export const makeRecalls = (state: MemoryState) =>
  Recalls.of({
    ofMessage: (messageId) =>
      Effect.sync(() =>
        (state.passages.get(messageId) ?? []).slice(0, maxRecalls).map((passage, index) => ({
          id: index + 1,
          message_id: messageId,
          chunk: passage.text,
          file_id: passage.file_id,
          file_name: passage.file_name,
          page: passage.page,
          score: passage.score,
          boxes: passage.boxes ?? null,
          url: passage.url ?? null
        }))
      )
  })

/** A graph may say that an answer comes without what it rests on. */
import * as Stream from "effect/Stream"
import type { RunEvent } from "../../protocol/RunEvent.ts"
import type { Answering } from "../App.ts"

export const withoutSources =
  (hide: boolean) =>
  (run: Answering): Answering =>
    hide
      ? Stream.map(
          run,
          (event): RunEvent => (event._tag === "Answered" ? { ...event, source: 0, passages: [] } : event)
        )
      : run

/** Tells those who follow a session that its queue is not what it was: a question is gone from it, or reads anew. */
import * as Effect from "effect/Effect"
import { frame, type Json } from "../protocol/frames.ts"
import { Hub } from "../session/Hub.ts"
import type { Run } from "../storage/rows.ts"

export const cancelled = { position: 0, cancelled: true } as const

/** What is done is done: that nobody hears of it is for the log alone. */
export const makeQueueNotice = Effect.map(
  Hub,
  (hub) => (run: Run, change: { readonly [field: string]: Json }) => {
    const address = { flowId: run.flow_id, chatId: run.chat_id }
    const message = { run_id: run.id, client_msg_id: run.client_msg_id, ...change }
    return hub.open(address, run.user_id).pipe(
      Effect.flatMap((session) => session.notify(frame(address, "info", "queue", { message }))),
      Effect.scoped,
      Effect.catchAll((error) => Effect.logDebug("a change of the queue was not told", error))
    )
  }
)

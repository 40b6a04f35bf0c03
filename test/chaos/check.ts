/**
 * The contract of delivery (docs/protocol.md), checked on what the clients of one session saw and what the server
 * says in the end. Pure.
 */
import { checkHistory, checkKnown } from "./checkHistory.ts"
import { checkLog } from "./checkLog.ts"
import { checkPlaces } from "./checkPlaces.ts"
import { checkTold } from "./checkTold.ts"
import type { Complaint, SessionRecord, Violation } from "./record.ts"

export const check = (session: SessionRecord): ReadonlyArray<Violation> => {
  const { chatId, views } = session
  const by =
    (client: string | null) =>
    ({ kind, text, passing = false, at }: Complaint): Violation => ({
      kind,
      chatId,
      client,
      text,
      passing,
      at: at ?? null
    })
  return [
    ...Array.from(checkLog(views), by(null)),
    ...Array.from(checkHistory(session), by(null)),
    ...views.flatMap((view) =>
      [...checkPlaces(view, chatId), ...checkTold(view, session), ...checkKnown(view, session)].map(
        by(view.client)
      )
    )
  ]
}

/** A question as it is accepted in the database, with its session. */
import * as Effect from "effect/Effect"
import { NotYours, QueueFull, SessionBusy } from "../protocol/errors.ts"
import type { Ask, OnBusy } from "../protocol/payloads.ts"
import { fillingActions } from "../run/Journal.ts"
import { unseen } from "../storage/rows.ts"
import type { Desk } from "./Desk.ts"
import type { Asker } from "./Session.ts"
import type { Asked } from "./starting.ts"
import { encodePayload, type Payload } from "./turn.ts"

/** How a question enters the queue of its session. */
export const entries: Readonly<Record<OnBusy, "enqueue" | "reject" | "front">> = {
  enqueue: "enqueue",
  reject: "reject",
  interrupt: "front",
  rollback: "front"
}

export type AcceptedQuestion = Effect.Effect.Success<ReturnType<typeof accept>>

/** `startNow`: whether it may run here, where nothing else does. */
export const accept = (
  desk: Desk,
  { runId, app }: Asked,
  ask: Ask,
  asker: Asker,
  payload: Payload,
  startNow: boolean
) =>
  Effect.suspend(() => {
    const { session, journal } = desk
    desk.queue.mayWait = true
    return journal.accept({
      runId,
      action: ask.action,
      owner: session.self,
      clientMsgId: ask.clientMsgId,
      payload: encodePayload(payload),
      entry: { startNow, onBusy: entries[ask.onBusy], maxQueued: session.maxQueued },
      session: {
        chatId: session.address.chatId,
        flowId: session.address.flowId,
        flowType: app.flowType,
        flowName: app.name,
        name: payload.text === "" ? app.name : titleOf(payload.text),
        userId: asker.userId,
        ip: asker.ip
      },
      question:
        session.actions[ask.action]?.silent === true
          ? { is_bot: false, type: "over", category: unseen, message: "" }
          : {
              is_bot: false,
              type: "over",
              category: "question",
              message: payload.text,
              ...(fillingActions.includes(ask.action)
                ? { extra: JSON.stringify({ inputs: ask.inputs }) }
                : {})
            }
    })
  }).pipe(
    Effect.catchTags({
      SessionTaken: () => new NotYours({ what: "chat" }),
      ChatBusy: () => new SessionBusy(),
      ChatFull: ({ limit }) => new QueueFull({ limit })
    })
  )

const maxTitle = 80

/** A session is called after its first question, cut at a character. */
const titleOf = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  const characters = [...line.slice(0, maxTitle * 2)]
  return characters.length <= maxTitle ? line : `${characters.slice(0, maxTitle - 1).join("")}…`
}

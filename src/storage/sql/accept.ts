/** A question with all that comes with it: session, audit, question and run, in one transaction. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Acceptance, RunStore } from "../Runs.ts"
import type { Run } from "../rows.ts"
import { ChatBusy, ChatFull, SessionTaken } from "../StorageError.ts"
import { RunRow } from "./columns.ts"
import { type Database, decodeFirst, during, now } from "./Database.ts"
import { insertMessage } from "./insertMessage.ts"
import { unfinishedOf } from "./runQueue.ts"
import { rowsOf } from "./statement.ts"

const run = decodeFirst(RunRow)

const openedSession = decodeFirst(
  Schema.Struct({
    user_id: Schema.Number,
    flow_id: Schema.String,
    is_delete: Schema.Number,
    opened_by: Schema.String
  })
)

/** Leaves the transaction, so that nothing of a repeated question stays. */
class AcceptedBefore extends Data.TaggedError("AcceptedBefore")<{ readonly run: Run }> {}

export const makeAccept = (database: Database): RunStore["accept"] => {
  const { sql, atomic } = database

  const touchSession = (session: Acceptance["session"], runId: string, time: string) => {
    const row = sql.insert({
      chat_id: session.chatId,
      flow_id: session.flowId,
      flow_type: session.flowType,
      flow_name: session.flowName,
      name: session.name,
      user_id: session.userId,
      like: 0,
      dislike: 0,
      copied: 0,
      sensitive_status: 0,
      memory_floor: 0,
      opened_by: runId,
      is_delete: 0,
      create_time: time,
      update_time: time
    })
    return sql.onDialectOrElse({
      mysql: () => sql`INSERT INTO message_session ${row} ON DUPLICATE KEY UPDATE update_time = ${time}`,
      orElse: () =>
        sql`INSERT INTO message_session ${row} ON CONFLICT (chat_id) DO UPDATE SET update_time = ${time}`
    })
  }

  const accept = (acceptance: Acceptance) =>
    Effect.gen(function* () {
      const { session, runId, clientMsgId } = acceptance
      const { date, text: time } = yield* now
      // From here on nobody else writes to this chat.
      yield* rowsOf(touchSession(session, runId, time))
      const row = yield* openedSession(
        sql`SELECT user_id, flow_id, is_delete, opened_by FROM message_session WHERE chat_id = ${session.chatId}`
      )
      if (
        Option.isNone(row) ||
        row.value.user_id !== session.userId ||
        row.value.flow_id !== session.flowId ||
        row.value.is_delete !== 0
      ) {
        return yield* new SessionTaken({ chatId: session.chatId })
      }
      if (clientMsgId !== null) {
        const before = yield* run(
          sql`SELECT * FROM run WHERE chat_id = ${session.chatId} AND client_msg_id = ${clientMsgId}`
        )
        if (Option.isSome(before)) return yield* new AcceptedBefore({ run: before.value })
      }
      const { entry } = acceptance
      const unfinished = yield* unfinishedOf(database, session.chatId)
      const queued = unfinished.filter(({ status }) => status === "queued")
      if (entry.onBusy === "reject" && unfinished.length > 0) {
        return yield* new ChatBusy({ chatId: session.chatId })
      }
      if (entry.onBusy !== "reject" && queued.length >= entry.maxQueued) {
        return yield* new ChatFull({ limit: entry.maxQueued })
      }
      const startsNow = entry.startNow && unfinished.length === 0
      const lowest = Math.min(0, ...queued.map(({ queue_rank }) => queue_rank))
      const isFront = entry.onBusy === "front"
      const author = { flowId: session.flowId, chatId: session.chatId, userId: session.userId, runId }
      const questionId = yield* insertMessage(database, author, acceptance.question, time)
      const accepted: Run = {
        id: runId,
        chat_id: session.chatId,
        flow_id: session.flowId,
        user_id: session.userId,
        action: acceptance.action,
        status: startsNow ? "running" : "queued",
        owner: acceptance.owner,
        client_msg_id: clientMsgId,
        question_id: questionId,
        payload: acceptance.payload,
        queue_rank: isFront ? lowest - 1 : 0,
        partial_text: "",
        partial_reasoning: "",
        error: "",
        prompt_tokens: 0,
        completion_tokens: 0,
        create_time: date,
        start_time: startsNow ? date : null,
        end_time: null
      }
      yield* rowsOf(
        sql`INSERT INTO run ${sql.insert({
          ...accepted,
          create_time: time,
          start_time: startsNow ? time : null
        })}`
      )
      if (row.value.opened_by === runId) {
        yield* rowsOf(
          sql`INSERT INTO audit_log ${sql.insert({
            user_id: session.userId,
            action: "chat.create",
            object_id: session.chatId,
            ip: session.ip,
            create_time: time
          })}`
        )
      }
      const ahead = isFront ? unfinished.filter(({ status }) => status === "running") : unfinished
      return { run: accepted, fresh: true, ahead }
    })

  return (acceptance) =>
    atomic(accept(acceptance)).pipe(
      Effect.catchTag("AcceptedBefore", ({ run }) => Effect.succeed({ run, fresh: false, ahead: [] })),
      during("runs.accept")
    )
}

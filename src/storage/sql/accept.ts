/** A question with all that comes with it: session, audit, question and run, in one transaction. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Acceptance, RunStore } from "../Runs.ts"
import type { Run } from "../rows.ts"
import { ChatBusy, ChatFull, SessionTaken } from "../StorageError.ts"
import { RunRow } from "./columns.ts"
import { type Database, decodeFirst, during, isDuplicate, now } from "./Database.ts"
import { insertMessage } from "./insertMessage.ts"
import { unfinishedOf } from "./runQueue.ts"
import { inserting, rowsOf } from "./statement.ts"

const run = decodeFirst(RunRow)

/** The session, and one of its unfinished runs. */
const openedSession = decodeFirst(
  Schema.Struct({
    user_id: Schema.Number,
    flow_id: Schema.String,
    is_delete: Schema.Number,
    opened_by: Schema.String,
    unfinished: Schema.NullOr(Schema.String)
  })
)

/** Leaves the transaction, so that nothing of a repeated question stays. */
class AcceptedBefore extends Data.TaggedError("AcceptedBefore")<{ readonly run: Run }> {}

export const makeAccept = (database: Database): RunStore["accept"] => {
  const { sql, atomic } = database

  const insertRun = inserting(sql, "run", [
    "id",
    "chat_id",
    "flow_id",
    "user_id",
    "action",
    "status",
    "owner",
    "client_msg_id",
    "question_id",
    "payload",
    "queue_rank",
    "partial_text",
    "partial_reasoning",
    "error",
    "prompt_tokens",
    "completion_tokens",
    "create_time",
    "start_time",
    "end_time"
  ])

  const touching = inserting(
    sql,
    "message_session",
    [
      "chat_id",
      "flow_id",
      "flow_type",
      "flow_name",
      "name",
      "user_id",
      "like",
      "dislike",
      "copied",
      "sensitive_status",
      "memory_floor",
      "opened_by",
      "is_delete",
      "create_time",
      "update_time"
    ],
    sql.onDialectOrElse({
      mysql: () => "ON DUPLICATE KEY UPDATE update_time = ?",
      orElse: () => "ON CONFLICT (chat_id) DO UPDATE SET update_time = ?"
    })
  )

  const touchSession = (session: Acceptance["session"], runId: string, time: string) =>
    touching(
      {
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
      },
      time
    )

  /** Refuses the question, unless it is one that was accepted before. */
  const refuse = <E>({ session, clientMsgId }: Acceptance, error: E) =>
    Effect.gen(function* () {
      const before =
        clientMsgId === null
          ? Option.none<Run>()
          : yield* run(
              sql`SELECT * FROM run WHERE chat_id = ${session.chatId} AND client_msg_id = ${clientMsgId}`
            )
      if (Option.isSome(before)) return yield* new AcceptedBefore({ run: before.value })
      return yield* Effect.fail(error)
    })

  const accept = Effect.fnUntraced(function* (acceptance: Acceptance) {
    const { session, runId, clientMsgId } = acceptance
    const { date, text: time } = yield* now
    // From here on nobody else writes to this chat.
    yield* rowsOf(touchSession(session, runId, time))
    const row = yield* openedSession(
      sql`SELECT s.user_id, s.flow_id, s.is_delete, s.opened_by, r.id AS unfinished FROM message_session s LEFT JOIN run r ON r.chat_id = s.chat_id AND r.status IN ('queued', 'running') WHERE s.chat_id = ${session.chatId} LIMIT 1`
    )
    if (
      Option.isNone(row) ||
      row.value.user_id !== session.userId ||
      row.value.flow_id !== session.flowId ||
      row.value.is_delete !== 0
    ) {
      return yield* new SessionTaken({ chatId: session.chatId })
    }
    const { entry } = acceptance
    const unfinished = row.value.unfinished === null ? [] : yield* unfinishedOf(database, session.chatId)
    const queued = unfinished.filter(({ status }) => status === "queued")
    if (entry.onBusy === "reject" && unfinished.length > 0) {
      return yield* refuse(acceptance, new ChatBusy({ chatId: session.chatId }))
    }
    if (entry.onBusy !== "reject" && queued.length >= entry.maxQueued) {
      return yield* refuse(acceptance, new ChatFull({ limit: entry.maxQueued }))
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
    yield* Effect.catchIf(
      rowsOf(
        insertRun({ ...accepted, create_time: time, start_time: startsNow ? time : null, end_time: null })
      ),
      isDuplicate,
      (error) => refuse(acceptance, error)
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

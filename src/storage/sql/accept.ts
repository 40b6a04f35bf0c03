/** A question with all that comes with it: session, audit, question and run, in one transaction. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { opened } from "../opened.ts"
import type { Acceptance, Accepted, RunStore } from "../Runs.ts"
import type { Run } from "../rows.ts"
import { ChatBusy, ChatFull, SessionTaken } from "../StorageError.ts"
import { batched, only } from "./Batcher.ts"
import { RunRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, isDuplicate, now } from "./Database.ts"
import { insertTogether } from "./insertMessage.ts"
import { unfinishedOf } from "./runQueue.ts"
import { inSizes, inserting, rowsOf } from "./statement.ts"

const run = decodeFirst(RunRow)

/** A session, and whether it has runs that have not ended. */
const OpenedSession = Schema.Struct({
  chat_id: Schema.String,
  user_id: Schema.Number,
  flow_id: Schema.String,
  is_delete: Schema.Number,
  opened_by: Schema.String,
  unfinished: Schema.Number
})
type OpenedSession = typeof OpenedSession.Type

const openedSessions = decodeAll(OpenedSession)

/** Leaves the transaction, so that nothing of a repeated question stays. */
class AcceptedBefore extends Data.TaggedError("AcceptedBefore")<{ readonly run: Run }> {}

export const makeAccept = (database: Database): RunStore["accept"] => {
  const { sql, atomic } = database

  const auditing = inserting(sql, "audit_log", ["user_id", "action", "object_id", "ip", "create_time"])

  const insertRuns = inserting(sql, "run", [
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

  const sessionRow = (acceptance: Acceptance, time: string) => ({
    ...opened(acceptance),
    opened_by: acceptance.runId,
    is_delete: 0,
    create_time: time,
    update_time: time
  })

  const auditRow = ({ session }: Acceptance, time: string) => ({
    user_id: session.userId,
    action: "chat.create",
    object_id: session.chatId,
    ip: session.ip,
    create_time: time
  })

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

  /** The place of a question in its chat's queue, as long as nobody else writes to the chat. */
  const admit = Effect.fnUntraced(function* (acceptance: Acceptance, known: OpenedSession | undefined) {
    const { session, entry } = acceptance
    if (
      known === undefined ||
      known.user_id !== session.userId ||
      known.flow_id !== session.flowId ||
      known.is_delete !== 0
    ) {
      return yield* new SessionTaken({ chatId: session.chatId })
    }
    const unfinished = known.unfinished === 0 ? [] : yield* unfinishedOf(database, session.chatId)
    const queued = unfinished.filter(({ status }) => status === "queued")
    if (entry.onBusy === "reject" && unfinished.length > 0) {
      return yield* refuse(acceptance, new ChatBusy({ chatId: session.chatId }))
    }
    if (entry.onBusy !== "reject" && queued.length >= entry.maxQueued) {
      return yield* refuse(acceptance, new ChatFull({ limit: entry.maxQueued }))
    }
    const isFront = entry.onBusy === "front"
    const lowest = Math.min(0, ...queued.map(({ queue_rank }) => queue_rank))
    return {
      acceptance,
      opens: known.opened_by === acceptance.runId,
      startsNow: entry.startNow && unfinished.length === 0,
      rank: isFront ? lowest - 1 : 0,
      ahead: isFront ? unfinished.filter(({ status }) => status === "running") : unfinished
    }
  })

  /** Questions of as many chats. */
  const acceptAll = Effect.fnUntraced(function* (acceptances: ReadonlyArray<Acceptance>) {
    const { date, text: time } = yield* now
    // From here on nobody else writes to these chats.
    yield* rowsOf(
      touching(
        acceptances.map((one) => sessionRow(one, time)),
        time
      )
    )
    const chatIds = acceptances.map(({ session }) => session.chatId)
    const sessions = yield* openedSessions(
      sql`SELECT s.chat_id, s.user_id, s.flow_id, s.is_delete, s.opened_by, EXISTS (SELECT 1 FROM run r WHERE r.chat_id = s.chat_id AND r.status IN ('queued', 'running')) AS unfinished FROM message_session s WHERE ${sql.in("s.chat_id", chatIds)}`
    )
    const found = new Map(sessions.map((session) => [session.chat_id, session]))
    const admitted = yield* Effect.forEach(acceptances, (one) => admit(one, found.get(one.session.chatId)))
    const questions = acceptances.map(({ session, runId, question }) => ({
      author: { flowId: session.flowId, chatId: session.chatId, userId: session.userId, runId },
      message: question
    }))
    const questionIds = yield* insertTogether(database, questions, time)
    const runs = admitted.map(
      ({ acceptance, startsNow, rank }, i): Run => ({
        id: acceptance.runId,
        chat_id: acceptance.session.chatId,
        flow_id: acceptance.session.flowId,
        user_id: acceptance.session.userId,
        action: acceptance.action,
        status: startsNow ? "running" : "queued",
        owner: acceptance.owner,
        client_msg_id: acceptance.clientMsgId,
        question_id: questionIds[i] ?? 0,
        payload: acceptance.payload,
        queue_rank: rank,
        partial_text: "",
        partial_reasoning: "",
        error: "",
        prompt_tokens: 0,
        completion_tokens: 0,
        create_time: date,
        start_time: startsNow ? date : null,
        end_time: null
      })
    )
    yield* rowsOf(
      insertRuns(
        runs.map((run) => ({
          ...run,
          create_time: time,
          start_time: run.start_time === null ? null : time,
          end_time: null
        }))
      )
    )
    const opening = admitted.filter(({ opens }) => opens).map(({ acceptance }) => auditRow(acceptance, time))
    for (const some of inSizes(opening)) yield* rowsOf(auditing(some))
    return runs.map((run, i): Accepted => ({ run, fresh: true, ahead: admitted[i]?.ahead ?? [] }))
  })

  const acceptOne = (acceptance: Acceptance) =>
    acceptAll([acceptance]).pipe(
      Effect.catchIf(isDuplicate, (error) => refuse(acceptance, error)),
      atomic,
      Effect.flatMap(only),
      Effect.catchTag("AcceptedBefore", ({ run }) => Effect.succeed({ run, fresh: false, ahead: [] })),
      during("runs.accept")
    )

  return batched(database, {
    keyOf: ({ session }) => session.chatId,
    one: acceptOne,
    many: (acceptances) => atomic(acceptAll(acceptances))
  })
}

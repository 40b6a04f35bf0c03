/**
 * Runs in SQL. The session's row is the lock of its chat: whoever writes messages holds it first, so that
 * ids come in the order of commit, and everybody takes locks in the order run, session, rest.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Acceptance, type Checkpoint, Runs } from "../Runs.ts"
import type { NewMessage, Run, WaitingRun } from "../rows.ts"
import { ChatBusy, ChatFull, SessionTaken } from "../StorageError.ts"
import { RunRow, sqlTime, WaitRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, now } from "./Database.ts"
import { type Author, insertMessage } from "./insertMessage.ts"

const runs = decodeAll(RunRow)
const run = decodeFirst(RunRow)
const waits = decodeAll(WaitRow)
const runOwners = decodeAll(Schema.Struct({ owner: Schema.String }))

const waitingRun = ({ state, wait_until, ...run }: typeof WaitRow.Type): WaitingRun => ({
  run,
  state,
  until: wait_until
})

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

const authorOf = (run: Run): Author => ({
  flowId: run.flow_id,
  chatId: run.chat_id,
  userId: run.user_id,
  runId: run.id
})

export const makeRuns = (database: Database) => {
  const { sql, atomic, alone, forUpdate, whole } = database
  const unended = sql.literal("status IN ('queued', 'running', 'waiting_input')")

  const find = (chatId: string, clientMsgId: string) =>
    run(sql`SELECT * FROM run WHERE chat_id = ${chatId} AND client_msg_id = ${clientMsgId}`)

  /** What runs, then what waits in its order. */
  const unfinishedOf = (chatId: string) =>
    runs(
      sql`SELECT * FROM run WHERE chat_id = ${chatId} AND status IN ('queued', 'running') ORDER BY CASE status WHEN 'running' THEN 0 ELSE 1 END, queue_rank, question_id`
    )

  /** Keeps everybody else from the chat's queue for this transaction. */
  const lockChat = (chatId: string) =>
    sql`SELECT chat_id FROM message_session WHERE chat_id = ${chatId} ${forUpdate}`

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
      yield* touchSession(session, runId, time)
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
        const before = yield* find(session.chatId, clientMsgId)
        if (Option.isSome(before)) return yield* new AcceptedBefore({ run: before.value })
      }
      const { entry } = acceptance
      const unfinished = yield* unfinishedOf(session.chatId)
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
      yield* sql`INSERT INTO run ${sql.insert({
        ...accepted,
        create_time: time,
        start_time: startsNow ? time : null
      })}`
      if (row.value.opened_by === runId) {
        yield* sql`INSERT INTO audit_log ${sql.insert({
          user_id: session.userId,
          action: "chat.create",
          object_id: session.chatId,
          ip: session.ip,
          create_time: time
        })}`
      }
      const ahead = isFront ? unfinished.filter(({ status }) => status === "running") : unfinished
      return { run: accepted, fresh: true, ahead }
    })

  /** The run if it has not ended, kept with its chat for this transaction. */
  const hold = (runId: string) =>
    run(
      sql`SELECT r.* FROM run r JOIN message_session s ON s.chat_id = r.chat_id WHERE r.id = ${runId} AND r.${unended} ${forUpdate}`
    )

  const insertMessages = (run: Run, messages: ReadonlyArray<NewMessage>, time: string) =>
    Effect.forEach(messages, (message) => insertMessage(database, authorOf(run), message, time))

  const replaced = (part: Checkpoint) =>
    sql`UPDATE run SET partial_text = ${part.text}, partial_reasoning = ${part.reasoning} WHERE id = ${part.runId} AND ${unended}`

  const appended = (part: Checkpoint) =>
    sql.onDialectOrElse({
      mysql: () =>
        sql`UPDATE run SET partial_text = CONCAT(partial_text, ${part.text}), partial_reasoning = CONCAT(partial_reasoning, ${part.reasoning}) WHERE id = ${part.runId} AND ${unended}`,
      orElse: () =>
        sql`UPDATE run SET partial_text = partial_text || ${part.text}, partial_reasoning = partial_reasoning || ${part.reasoning} WHERE id = ${part.runId} AND ${unended}`
    })

  const written = (part: Checkpoint) => (part.replaces === true ? replaced(part) : appended(part))

  const unwait = (runId: string) => sql`DELETE FROM run_wait WHERE run_id = ${runId}`

  return Runs.of({
    accept: (acceptance) =>
      atomic(accept(acceptance)).pipe(
        Effect.catchTag("AcceptedBefore", ({ run }) => Effect.succeed({ run, fresh: false, ahead: [] })),
        during("runs.accept")
      ),

    dequeue: (chatId, owner) =>
      Effect.gen(function* () {
        // Most often there is nothing: that takes no transaction to know.
        const [seen] = yield* unfinishedOf(chatId)
        if (seen === undefined || seen.status === "running") return Option.none<Run>()
        return yield* atomic(
          Effect.gen(function* () {
            yield* lockChat(chatId)
            const [first] = yield* unfinishedOf(chatId)
            if (first === undefined || first.status === "running") return Option.none<Run>()
            const { date, text: time } = yield* now
            yield* sql`UPDATE run SET status = 'running', owner = ${owner}, start_time = ${time} WHERE id = ${first.id}`
            return Option.some<Run>({ ...first, status: "running", owner, start_time: date })
          })
        )
      }).pipe(during("runs.dequeue")),

    queue: (chatId) => unfinishedOf(chatId).pipe(during("runs.queue")),

    cancel: (chatId, runId) =>
      Effect.gen(function* () {
        yield* lockChat(chatId)
        const unfinished = yield* unfinishedOf(chatId)
        const cancelled = unfinished.filter(
          (run) => run.status === "queued" && (runId === null || run.id === runId)
        )
        const { date, text: time } = yield* now
        for (const { id } of cancelled) {
          yield* sql`UPDATE run SET status = 'stopped', end_time = ${time} WHERE id = ${id}`
        }
        return cancelled.map((run): Run => ({ ...run, status: "stopped", end_time: date }))
      }).pipe(atomic, during("runs.cancel")),

    amend: (runId, { message, payload }) =>
      Effect.gen(function* () {
        const held = yield* hold(runId)
        if (Option.isNone(held) || held.value.status !== "queued") return false
        const { text: time } = yield* now
        yield* sql`UPDATE run SET payload = ${payload} WHERE id = ${runId}`
        yield* sql`UPDATE chat_message SET message = ${message}, update_time = ${time} WHERE id = ${held.value.question_id}`
        return true
      }).pipe(atomic, during("runs.amend")),

    record: (runId, messages) =>
      Effect.gen(function* () {
        const held = yield* hold(runId)
        if (Option.isNone(held)) return []
        return yield* insertMessages(held.value, messages, (yield* now).text)
      }).pipe(atomic, during("runs.record")),

    settle: (runId, messages) =>
      Effect.gen(function* () {
        const held = yield* hold(runId)
        if (Option.isNone(held)) return []
        yield* sql`UPDATE run SET partial_text = '', partial_reasoning = '' WHERE id = ${runId}`
        return yield* insertMessages(held.value, messages, (yield* now).text)
      }).pipe(atomic, during("runs.settle")),

    park: (runId, { state, until }) =>
      Effect.gen(function* () {
        const held = yield* hold(runId)
        if (Option.isNone(held)) return
        yield* sql`UPDATE run SET status = 'waiting_input', partial_text = '', partial_reasoning = '' WHERE id = ${runId}`
        yield* unwait(runId)
        const wait = { run_id: runId, chat_id: held.value.chat_id, state, wait_until: sqlTime(until) }
        yield* sql`INSERT INTO run_wait ${sql.insert(wait)}`
      }).pipe(atomic, during("runs.park")),

    resume: (runId, reply, owner) =>
      Effect.gen(function* () {
        const held = yield* hold(runId)
        if (Option.isNone(held) || held.value.status !== "waiting_input") return Option.none<number>()
        const { text: time } = yield* now
        yield* sql`UPDATE run SET status = 'running', owner = ${owner} WHERE id = ${runId}`
        yield* unwait(runId)
        yield* sql`UPDATE message_session SET update_time = ${time} WHERE chat_id = ${held.value.chat_id}`
        return Option.some(yield* insertMessage(database, authorOf(held.value), reply, time))
      }).pipe(atomic, during("runs.resume")),

    waiting: (chatId) =>
      waits(
        sql`SELECT r.*, w.state, w.wait_until FROM run_wait w JOIN run r ON r.id = w.run_id WHERE w.chat_id = ${chatId} ORDER BY r.question_id DESC LIMIT 1`
      ).pipe(
        Effect.map(([wait]) => (wait === undefined ? Option.none() : Option.some(waitingRun(wait)))),
        during("runs.waiting")
      ),

    overdue: (limit) =>
      Effect.flatMap(now, ({ text: time }) =>
        waits(
          sql`SELECT r.*, w.state, w.wait_until FROM run_wait w JOIN run r ON r.id = w.run_id WHERE w.wait_until <= ${time} ORDER BY w.wait_until LIMIT ${whole(limit)}`
        )
      ).pipe(
        Effect.map((rows) => rows.map(waitingRun)),
        during("runs.overdue")
      ),

    reopen: (runId, owner) =>
      database
        .write(
          sql`UPDATE run SET status = 'queued', owner = ${owner}, error = '', end_time = NULL WHERE id = ${runId} AND status IN ('stopped', 'failed', 'lost')`
        )
        .pipe(
          alone,
          Effect.map(({ changes }) => changes > 0),
          during("runs.reopen")
        ),

    checkpoint: (parts) => {
      const [first, ...rest] = parts.toSorted((a, b) => (a.runId < b.runId ? -1 : 1))
      if (first === undefined) return Effect.void
      const all =
        rest.length === 0
          ? Effect.asVoid(alone(written(first)))
          : Effect.asVoid(atomic(Effect.forEach([first, ...rest], written)))
      return all.pipe(during("runs.checkpoint"))
    },

    finish: (runId, ending) =>
      Effect.gen(function* () {
        const held = yield* hold(runId)
        if (Option.isNone(held)) return []
        const { text: time } = yield* now
        const end = sql`status = ${ending.status}, error = ${ending.error}, prompt_tokens = ${ending.promptTokens}, completion_tokens = ${ending.completionTokens}, partial_text = '', partial_reasoning = '', end_time = ${time}`
        const { chat_id } = held.value
        if (held.value.status === "waiting_input") yield* unwait(runId)
        yield* sql.onDialectOrElse({
          // Both rows at once: a round trip less in the busiest transaction.
          mysql: () =>
            sql`UPDATE run JOIN message_session s ON s.chat_id = run.chat_id SET ${end}, s.update_time = ${time} WHERE run.id = ${runId}`,
          orElse: () =>
            Effect.zipRight(
              sql`UPDATE run SET ${end} WHERE id = ${runId}`,
              sql`UPDATE message_session SET update_time = ${time} WHERE chat_id = ${chat_id}`
            )
        })
        return yield* insertMessages(held.value, ending.messages, time)
      }).pipe(atomic, during("runs.finish")),

    rollback: (runId) =>
      Effect.gen(function* () {
        const held = yield* run(
          sql`SELECT r.* FROM run r JOIN message_session s ON s.chat_id = r.chat_id WHERE r.id = ${runId} ${forUpdate}`
        )
        if (Option.isNone(held)) return
        const { text: time } = yield* now
        yield* sql`DELETE FROM recall_chunk WHERE message_id IN (SELECT id FROM chat_message WHERE run_id = ${runId})`
        yield* sql`DELETE FROM chat_message WHERE run_id = ${runId}`
        yield* unwait(runId)
        yield* sql`UPDATE run SET status = 'stopped', partial_text = '', partial_reasoning = '', end_time = COALESCE(end_time, ${time}) WHERE id = ${runId}`
      }).pipe(atomic, during("runs.rollback")),

    get: (runId) => run(sql`SELECT * FROM run WHERE id = ${runId}`).pipe(during("runs.get")),

    find: (chatId, clientMsgId) => find(chatId, clientMsgId).pipe(during("runs.find")),

    ofChat: (chatId, limit) =>
      runs(
        sql`SELECT * FROM run WHERE chat_id = ${chatId} ORDER BY question_id DESC LIMIT ${whole(limit)}`
      ).pipe(during("runs.ofChat")),

    owners: runOwners(sql`SELECT DISTINCT owner FROM run WHERE status IN ('queued', 'running')`).pipe(
      Effect.map((rows) => rows.map(({ owner }) => owner)),
      during("runs.owners")
    ),

    unfinished: (owner) =>
      runs(
        sql`SELECT * FROM run WHERE owner = ${owner} AND status IN ('queued', 'running') ORDER BY question_id`
      ).pipe(during("runs.unfinished"))
  })
}

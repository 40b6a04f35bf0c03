/**
 * Runs in SQL. The session's row is the lock of its chat: whoever writes messages or changes the queue holds it,
 * so that ids come in the order of commit and the queue has one state. Whoever changes the queue takes the
 * session first, then queued runs; whoever goes on with a run that has left it takes that run first, then the
 * session, then the rest. They want different runs, so one question and one end never wait for each other in a circle; several
 * at a time may, and whoever the database sends back is tried again (`atomic`).
 */
import { type Fragment, join } from "@effect/sql/Statement"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Checkpoint, Runs } from "../Runs.ts"
import type { NewMessage, WaitingRun } from "../rows.ts"
import { makeAccept } from "./accept.ts"
import { batchedReads } from "./Batcher.ts"
import { RunRow, sqlTime, WaitRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, now } from "./Database.ts"
import { makeFinish } from "./finish.ts"
import { authorOf, hold, unendedStates, unwait } from "./held.ts"
import { insertMessage, insertMessages } from "./insertMessage.ts"
import { makeRunQueue } from "./runQueue.ts"
import { makeUntold } from "./untold.ts"

/** Partial answers that are stored with one statement. */
const checkpointsAtOnce = 100

const runs = decodeAll(RunRow)
const run = decodeFirst(RunRow)
const waits = decodeAll(WaitRow)
const runOwners = decodeAll(Schema.Struct({ owner: Schema.String }))

const waitingRun = ({ state, wait_until, ...run }: typeof WaitRow.Type): WaitingRun => ({
  run,
  state,
  until: wait_until
})

/** A question as its client knows it. */
interface Asked {
  readonly chatId: string
  readonly clientMsgId: string
}

export const makeRuns = (database: Database) => {
  const { sql, atomic, alone, byRun, forUpdate, whole } = database
  const unended = sql.literal(unendedStates)

  const grown = (column: Fragment, text: string) =>
    sql.onDialectOrElse({
      mysql: () => sql`CONCAT(${column}, ${text})`,
      orElse: () => sql`${column} || ${text}`
    })

  /** One statement for all: as long as it takes, the ends of these runs have to wait. */
  const written = (parts: ReadonlyArray<Checkpoint>) => {
    const cases = (column: Fragment, textOf: (part: Checkpoint) => string) =>
      join(
        " ",
        false
      )(
        parts.map((part) => {
          const text = textOf(part)
          return part.replaces === true
            ? sql`WHEN ${part.runId} THEN ${text}`
            : sql`WHEN ${part.runId} THEN ${grown(column, text)}`
        })
      )
    const text = sql.literal("partial_text")
    const reasoning = sql.literal("partial_reasoning")
    const ids = parts.map(({ runId }) => runId)
    return sql`UPDATE run SET partial_text = CASE id ${cases(text, (part) => part.text)} ELSE partial_text END, partial_reasoning = CASE id ${cases(reasoning, (part) => part.reasoning)} ELSE partial_reasoning END WHERE ${sql.in("id", ids)} AND ${unended}`
  }

  const find = batchedReads(
    database,
    ({ chatId, clientMsgId }: Asked) => `${chatId} ${clientMsgId}`,
    (asked) =>
      Effect.map(
        runs(
          sql`SELECT * FROM run WHERE (chat_id, client_msg_id) IN (${join(", ", false)(asked.map(({ chatId, clientMsgId }) => sql`(${chatId}, ${clientMsgId})`))})`,
          database.ask
        ),
        (rows) =>
          asked.map(({ chatId, clientMsgId }) =>
            Option.fromNullable(
              rows.find((row) => row.chat_id === chatId && row.client_msg_id === clientMsgId)
            )
          )
      )
  )

  return Runs.of({
    accept: makeAccept(database),
    ...makeRunQueue(database),
    ...makeUntold(database),

    record: Effect.fnUntraced(
      function* (runId: string, messages: ReadonlyArray<NewMessage>) {
        const held = yield* hold(database, runId)
        if (Option.isNone(held)) return []
        return yield* insertMessages(database, authorOf(held.value), messages, (yield* now).text)
      },
      atomic,
      during("runs.record")
    ),

    settle: Effect.fnUntraced(
      function* (runId: string, messages: ReadonlyArray<NewMessage>) {
        const held = yield* hold(database, runId)
        if (Option.isNone(held)) return []
        yield* sql`UPDATE run SET partial_text = '', partial_reasoning = '' WHERE id = ${runId}`
        return yield* insertMessages(database, authorOf(held.value), messages, (yield* now).text)
      },
      atomic,
      during("runs.settle")
    ),

    park: (runId, { state, until }) =>
      Effect.gen(function* () {
        const held = yield* hold(database, runId)
        if (Option.isNone(held)) return
        yield* sql`UPDATE run SET status = 'waiting_input', partial_text = '', partial_reasoning = '' WHERE id = ${runId}`
        yield* unwait(database, runId)
        const wait = { run_id: runId, chat_id: held.value.chat_id, state, wait_until: sqlTime(until) }
        yield* sql`INSERT INTO run_wait ${sql.insert(wait)}`
      }).pipe(atomic, during("runs.park")),

    resume: (runId, reply, owner) =>
      Effect.gen(function* () {
        const held = yield* hold(database, runId)
        if (Option.isNone(held) || held.value.status !== "waiting_input") return Option.none<number>()
        const { text: time } = yield* now
        yield* sql`UPDATE run SET status = 'running', owner = ${owner} WHERE id = ${runId}`
        yield* unwait(database, runId)
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

    checkpoint: (parts) =>
      Effect.forEach(
        Chunk.chunksOf(Chunk.fromIterable(parts), checkpointsAtOnce),
        (some) => alone(written([...some])),
        { discard: true }
      ).pipe(during("runs.checkpoint")),

    finish: makeFinish(database),

    rollback: (runId) =>
      Effect.gen(function* () {
        const held = yield* run(
          sql`SELECT r.* FROM run r JOIN message_session s ON s.chat_id = r.chat_id WHERE r.id = ${runId} ${forUpdate}`
        )
        if (Option.isNone(held)) return
        const { text: time } = yield* now
        yield* sql`DELETE FROM recall_chunk WHERE message_id IN (SELECT id FROM chat_message WHERE run_id = ${runId})`
        yield* sql`DELETE FROM chat_message WHERE run_id = ${runId}`
        yield* unwait(database, runId)
        yield* sql`UPDATE run SET status = 'stopped', partial_text = '', partial_reasoning = '', end_time = COALESCE(end_time, ${time}) WHERE id = ${runId}`
      }).pipe(atomic, during("runs.rollback")),

    get: (runId) => run(sql`SELECT * FROM run WHERE id = ${runId}`).pipe(during("runs.get")),

    find: (chatId, clientMsgId) => find({ chatId, clientMsgId }).pipe(during("runs.find")),

    ofChat: (chatId, limit) =>
      runs(
        sql`SELECT * FROM run ${byRun} WHERE chat_id = ${chatId} ORDER BY question_id DESC LIMIT ${whole(limit)}`
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

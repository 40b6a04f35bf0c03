/**
 * The questions of a chat that wait for their turn. Whoever changes the queue holds the session's row first and
 * looks afterwards, so that what it sees is what everybody before it has left.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { RunStore } from "../Runs.ts"
import type { Run } from "../rows.ts"
import { batchedReads } from "./Batcher.ts"
import { RunRow } from "./columns.ts"
import { type Database, decodeAll, decodeFirst, during, now } from "./Database.ts"
import { markUntold } from "./untold.ts"

const runs = decodeAll(RunRow)
const run = decodeFirst(RunRow)
const chatOf = decodeFirst(Schema.Struct({ chat_id: Schema.String }))

const standing = decodeAll(Schema.Struct({ chat_id: Schema.String, status: Schema.String }))

/** What runs, then what waits in its order. */
const inOrder = ({ sql }: Database, chatId: string) =>
  sql`chat_id = ${chatId} AND status IN ('queued', 'running') ORDER BY CASE status WHEN 'running' THEN 0 ELSE 1 END, queue_rank, question_id`

export const unfinishedOf = (database: Database, chatId: string) =>
  runs(database.sql`SELECT * FROM run WHERE ${inOrder(database, chatId)}`, database.ask)

export const makeRunQueue = (
  database: Database
): Pick<RunStore, "dequeue" | "waits" | "queue" | "cancel" | "amend"> => {
  const { sql, atomic, forUpdate } = database

  /** Keeps everybody else from the chat's queue for this transaction. */
  const lockChat = (chatId: string) =>
    sql`SELECT chat_id FROM message_session WHERE chat_id = ${chatId} ${forUpdate}`

  /** The first of the queue, unless a run of the chat is in progress. */
  const next = (chatId: string) =>
    Effect.map(
      run(sql`SELECT * FROM run WHERE ${inOrder(database, chatId)} LIMIT 1`),
      Option.filter(({ status }) => status === "queued")
    )

  const startNext = Effect.fnUntraced(function* (chatId: string, owner: string) {
    yield* lockChat(chatId)
    const first = yield* next(chatId)
    if (Option.isNone(first)) return Option.none<Run>()
    const { date, text: time } = yield* now
    yield* start(first.value.id, owner, time)
    return Option.some<Run>({ ...first.value, status: "running", owner, start_time: date })
  })

  /** Does something to a question of the queue; false where it is not there. */
  const whileQueued = <E>(runId: string, change: (run: Run, time: string) => Effect.Effect<unknown, E>) =>
    Effect.gen(function* () {
      const chat = yield* chatOf(sql`SELECT chat_id FROM run WHERE id = ${runId} AND status = 'queued'`)
      if (Option.isNone(chat)) return false
      return yield* atomic(
        Effect.gen(function* () {
          yield* lockChat(chat.value.chat_id)
          const queued = yield* run(sql`SELECT * FROM run WHERE id = ${runId} AND status = 'queued'`)
          if (Option.isNone(queued)) return false
          yield* change(queued.value, (yield* now).text)
          return true
        })
      )
    })

  const start = (runId: string, owner: string, time: string) =>
    sql`UPDATE run SET status = 'running', owner = ${owner}, start_time = ${time} WHERE id = ${runId}`

  /** For each chat whether a question waits in it, and none runs. */
  const allWait = (chatIds: ReadonlyArray<string>) =>
    Effect.map(
      standing(
        sql`SELECT DISTINCT chat_id, status FROM run WHERE ${sql.in("chat_id", chatIds)} AND status IN ('queued', 'running')`,
        database.ask
      ),
      (rows) =>
        chatIds.map((chatId) => {
          const own = rows.filter(({ chat_id }) => chat_id === chatId)
          return own.length > 0 && own.every(({ status }) => status === "queued")
        })
    )

  const waits = batchedReads(database, (chatId: string) => chatId, allWait)

  return {
    dequeue: (chatId, owner) =>
      // Most often there is nothing: that takes no transaction to know.
      waits(chatId).pipe(
        Effect.flatMap((isThere) =>
          isThere ? atomic(startNext(chatId, owner)) : Effect.succeed(Option.none<Run>())
        ),
        during("runs.dequeue")
      ),

    waits: (chatId) => waits(chatId).pipe(during("runs.waits")),

    queue: (chatId) => unfinishedOf(database, chatId).pipe(during("runs.queue")),

    cancel: (chatId, runId, owner) =>
      Effect.gen(function* () {
        yield* lockChat(chatId)
        const unfinished = yield* unfinishedOf(database, chatId)
        const cancelled = unfinished.filter(
          (run) => run.status === "queued" && (runId === null || run.id === runId)
        )
        const { date, text: time } = yield* now
        for (const { id } of cancelled) {
          yield* sql`UPDATE run SET status = 'stopped', owner = ${owner}, end_time = ${time} WHERE id = ${id}`
          yield* markUntold(database, id)
        }
        return cancelled.map((run): Run => ({ ...run, status: "stopped", owner, end_time: date }))
      }).pipe(atomic, during("runs.cancel")),

    amend: (runId, { message, payload }) =>
      whileQueued(runId, ({ question_id }, time) =>
        Effect.zipRight(
          sql`UPDATE run SET payload = ${payload} WHERE id = ${runId}`,
          sql`UPDATE chat_message SET message = ${message}, update_time = ${time} WHERE id = ${question_id}`
        )
      ).pipe(during("runs.amend"))
  }
}

/** The end of a run, with its last messages; of many at once where a busy node ends many. */
import { join } from "@effect/sql/Statement"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Ending, RunStore } from "../Runs.ts"
import { batched } from "./Batcher.ts"
import { type Database, decodeAll, during, now } from "./Database.ts"
import { authorOf, hold, unwait } from "./held.ts"
import { insertMessages, insertTogether } from "./insertMessage.ts"
import { rowsOf } from "./statement.ts"
import { markUntold } from "./untold.ts"

const authors = decodeAll(
  Schema.Struct({
    id: Schema.String,
    flow_id: Schema.String,
    chat_id: Schema.String,
    user_id: Schema.Number
  })
)

interface Finish {
  readonly runId: string
  readonly ending: Ending
}

/** One of those that are ended together has ended, or waits for a person. */
class NotInProgress extends Data.TaggedError("NotInProgress") {}

export const makeFinish = (database: Database): RunStore["finish"] => {
  const { sql, atomic, forUpdate } = database

  /** Ends the run if it is in one of these states: its row first, then that of its session. */
  const ended = (runId: string, states: string, ending: Ending, time: string) => {
    const end = sql`status = ${ending.status}, error = ${ending.error}, prompt_tokens = ${ending.promptTokens}, completion_tokens = ${ending.completionTokens}, partial_text = '', partial_reasoning = '', end_time = ${time}`
    const there = sql`run.id = ${runId} AND run.status IN (${sql.literal(states)})`
    return Effect.map(
      sql.onDialectOrElse({
        // Both rows at once: a round trip less in the busiest transaction.
        mysql: () =>
          database.write(
            sql`UPDATE run JOIN message_session s ON s.chat_id = run.chat_id SET ${end}, s.update_time = ${time} WHERE ${there}`
          ),
        orElse: () =>
          Effect.tap(database.write(sql`UPDATE run SET ${end} WHERE ${there}`), ({ changes }) =>
            changes === 0
              ? Effect.void
              : rowsOf(
                  sql`UPDATE message_session SET update_time = ${time} WHERE chat_id = (SELECT chat_id FROM run WHERE id = ${runId})`
                )
          )
      }),
      ({ changes }) => changes > 0
    )
  }

  const finishOne = Effect.fnUntraced(
    function* ({ runId, ending }: Finish) {
      const { text: time } = yield* now
      // What is in progress needs not be read first: its row, as it changes, is the lock.
      if (yield* ended(runId, "'queued', 'running'", ending, time)) {
        return yield* insertMessages(database, { runId }, ending.messages, time)
      }
      const held = yield* hold(database, runId)
      if (Option.isNone(held)) return []
      if (held.value.status === "waiting_input") {
        yield* unwait(database, runId)
        yield* markUntold(database, runId)
      }
      yield* ended(runId, "'queued', 'running', 'waiting_input'", ending, time)
      return yield* insertMessages(database, authorOf(held.value), ending.messages, time)
    },
    atomic,
    during("runs.finish")
  )

  /** Ends runs that are in progress, all of them. */
  const finishAll = Effect.fnUntraced(function* (all: ReadonlyArray<Finish>) {
    const { text: time } = yield* now
    const ids = all.map(({ runId }) => runId)
    const held = yield* authors(
      sql`SELECT r.id, r.flow_id, r.chat_id, r.user_id FROM run r JOIN message_session s ON s.chat_id = r.chat_id WHERE ${sql.in("r.id", ids)} AND r.status IN ('queued', 'running') ${forUpdate}`
    )
    if (held.length < all.length) return yield* new NotInProgress()
    const each = (value: (ending: Ending) => string | number) =>
      join(" ", false)(all.map(({ runId, ending }) => sql`WHEN ${runId} THEN ${value(ending)}`))
    yield* rowsOf(
      sql`UPDATE run JOIN message_session s ON s.chat_id = run.chat_id SET status = CASE id ${each(({ status }) => status)} END, error = CASE id ${each(({ error }) => error)} END, prompt_tokens = CASE id ${each(({ promptTokens }) => promptTokens)} END, completion_tokens = CASE id ${each(({ completionTokens }) => completionTokens)} END, partial_text = '', partial_reasoning = '', end_time = ${time}, s.update_time = ${time} WHERE ${sql.in("id", ids)}`
    )
    const authorsOf = new Map(held.map((run) => [run.id, authorOf(run)]))
    const letters = all.flatMap(({ runId, ending }) => {
      const author = authorsOf.get(runId)
      return author === undefined ? [] : ending.messages.map((message) => ({ author, message }))
    })
    const messageIds = yield* insertTogether(database, letters, time)
    let from = 0
    return all.map(({ ending }) => {
      const own = messageIds.slice(from, from + ending.messages.length)
      from += own.length
      return own
    })
  })

  const finishing = batched(database, {
    keyOf: ({ runId }) => runId,
    one: finishOne,
    many: (all) => atomic(finishAll(all))
  })

  return (runId, ending) => finishing({ runId, ending })
}

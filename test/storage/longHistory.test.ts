import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Messages } from "../../src/storage/Messages.ts"
import { type ListStart, type SessionQuery, Sessions } from "../../src/storage/Sessions.ts"
import { Storage } from "../../src/storage/Storage.ts"
import { mysqlClient, sqliteClient } from "../../src/storage/sql/clients.ts"
import { freshDatabase, freshFolder } from "../support/database.ts"
import { chatOf, chats, fillLong, lastMessage, longChat, momentOf, owner, rareApp } from "./longHistory.ts"
import { times } from "./suite/vocabulary.ts"

const limit = 20

const historyFrom = (before: number | null) =>
  Effect.flatMap(Messages, (messages) => messages.page({ chatId: longChat, before, limit }))

const list = (query: Partial<SessionQuery>) =>
  Effect.flatMap(Sessions, (sessions) =>
    sessions.list({
      userId: owner,
      flowType: null,
      flowId: null,
      keyword: "",
      from: { after: null },
      limit,
      ...query
    })
  )

const after = (i: number): ListStart => ({ after: { updateTime: momentOf(i), chatId: chatOf(i) } })

const latest = Effect.flatMap(Sessions, (sessions) =>
  sessions.latestMessages(times(limit, (i) => chatOf(i * 100)))
)

const reminder = Effect.flatMap(Messages, (messages) => messages.memory(longChat, limit / 2))

type Page = Effect.Effect<ReadonlyArray<unknown>, unknown, Sessions | Messages>

/** Each asks for as many rows as there are in a page. */
const pages: Readonly<Record<string, Page>> = {
  "the newest messages": historyFrom(null),
  "messages in the middle": historyFrom(lastMessage / 2),
  "the oldest messages": historyFrom(limit * 4 + 1),
  "the latest chats": list({}),
  "chats in the middle": list({ from: after(chats / 2 + 5) }),
  "the last chats": list({ from: after(chats - 25) }),
  "chats of an app": list({ flowId: rareApp.flowId }),
  "chats of an app, in the middle": list({ flowId: rareApp.flowId, from: after(chats / 2) }),
  "chats of a kind": list({ flowType: rareApp.flowType }),
  "chats of a kind, in the middle": list({ flowType: rareApp.flowType, from: after(chats / 2) }),
  "chats of an app and its kind": list(rareApp),
  "the latest message of each chat of a page": latest
}

const filled = <A, E>(opened: Layer.Layer<A, E>) => Layer.provideMerge(Layer.effectDiscard(fillLong), opened)

/** The statements that the effect runs, with their values. */
const statementsOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const statements: Array<readonly [string, ReadonlyArray<unknown>]> = []
    return effect.pipe(
      Statement.withTransformer((statement) =>
        Effect.sync(() => {
          statements.push(statement.compile())
          return statement
        })
      ),
      Effect.as(statements)
    )
  })

describe("on MySQL", () => {
  const opened = Layer.unwrapScoped(
    Effect.map(freshDatabase, (url) => {
      const secret = Redacted.make(url)
      return Layer.merge(Storage.Mysql(secret), mysqlClient(secret))
    })
  )

  /** Rows that the connection has read so far. */
  const soFar = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const counters = yield* sql<{ Value: string }>`SHOW SESSION STATUS LIKE 'Handler_read%'`
    return counters.reduce((sum, { Value }) => sum + Number(Value), 0)
  })

  const rowsRead = (page: Page) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const connection = yield* sql.reserve
      return yield* Effect.gen(function* () {
        const before = yield* soFar
        const rows = yield* page
        const behind = yield* soFar
        const own = (yield* soFar) - behind
        return { shown: rows.length, read: behind - before - own }
      }).pipe(Effect.provideService(SqlClient.TransactionConnection, [connection, 0]))
    })

  layer(filled(opened))((it) => {
    for (const [name, page] of Object.entries(pages)) {
      it.scoped(`a page reads about its own rows, however long the list: ${name}`, () =>
        Effect.gen(function* () {
          const { shown, read } = yield* rowsRead(page)
          expect(shown).toBe(limit)
          // Of each chat also the row of the chat, and the way to its latest message.
          expect(read).toBeLessThan(limit * 6)
        })
      )
    }

    it.scoped("what the model is reminded of is read from the end of a long chat", () =>
      Effect.gen(function* () {
        const { shown, read } = yield* rowsRead(reminder)
        expect(shown).toBe(limit)
        expect(read).toBeLessThan(limit * 6)
      })
    )

    it.scoped(
      "a page that is asked for by its number counts what it skips in the index, and reads no more",
      () =>
        Effect.gen(function* () {
          const skip = chats - 100
          const { shown, read } = yield* rowsRead(list({ from: { skip } }))
          expect(shown).toBe(limit)
          expect(read).toBeLessThan(skip + limit * 6)
        })
    )
  })
})

describe("on SQLite", () => {
  const opened = Layer.unwrapScoped(
    Effect.map(freshFolder, (folder) => {
      const file = join(folder, "colloquy.db")
      return Layer.merge(Storage.Sqlite(file), sqliteClient(file))
    })
  )

  const planOf = (page: Page) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const statements = yield* statementsOf(page)
      const steps = yield* Effect.forEach(statements, ([text, values]) =>
        sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, [...values])
      )
      return steps.flat().map(({ detail }) => detail)
    })

  layer(filled(opened))((it) => {
    for (const [name, page] of Object.entries(pages)) {
      it.effect(`a page is read from an index in its order, nothing sorted or passed over: ${name}`, () =>
        Effect.gen(function* () {
          expect(yield* page).toHaveLength(limit)
          const steps = yield* planOf(page)
          expect(steps.some((step) => step.startsWith("SEARCH"))).toBe(true)
          expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step))).toEqual([])
        })
      )
    }

    it.effect(
      "what the model is reminded of is read from the end of a long chat, and nothing is sorted",
      () =>
        Effect.gen(function* () {
          expect(yield* reminder).toHaveLength(limit)
          const steps = yield* planOf(reminder)
          expect(steps).toContain(
            "SEARCH run USING INDEX run_chat_id_question_id (chat_id=? AND question_id>?)"
          )
          expect(steps.filter((step) => step.includes("TEMP B-TREE"))).toEqual([])
        })
    )
  })
})

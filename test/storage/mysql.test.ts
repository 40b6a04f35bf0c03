import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Audit } from "../../src/storage/Audit.ts"
import { Messages } from "../../src/storage/Messages.ts"
import { Runs } from "../../src/storage/Runs.ts"
import { Storage } from "../../src/storage/Storage.ts"
import { mysqlClient } from "../../src/storage/sql/clients.ts"
import { makeDatabase } from "../../src/storage/sql/Database.ts"
import { Users } from "../../src/storage/Users.ts"
import { freshDatabase, MysqlStorage } from "../support/database.ts"
import { proxy } from "../support/faults/proxy.ts"
import { sqlSuite } from "./sql.ts"
import { freshId, question, round, times } from "./suite/vocabulary.ts"
import { storageSuite } from "./suite.ts"

storageSuite("the MySQL storage", MysqlStorage)

/** Five rows, to be multiplied. */
const digits = "(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)"

const opened = Effect.map(freshDatabase, (url) => {
  const secret = Redacted.make(url)
  return Layer.merge(Storage.Mysql(secret), mysqlClient(secret))
})

sqlSuite("the MySQL database", opened)

it.scopedLive("several servers on one database race for a chat, a question and the admin as one does", () =>
  Effect.gen(function* () {
    const url = Redacted.make(yield* freshDatabase)
    // Each with connections of its own; they also race to migrate.
    const servers = yield* Effect.all(
      times(3, () => Layer.build(Layer.fresh(Storage.Mysql(url)))),
      { concurrency: "unbounded" }
    )
    const onEach = <A, E>(n: number, effect: (i: number) => Effect.Effect<A, E, Runs | Users>) =>
      Effect.all(
        servers.flatMap((server, s) => times(n, (i) => Effect.provide(effect(s * n + i), server))),
        { concurrency: "unbounded" }
      )
    const chatId = freshId()
    const accepted = yield* onEach(10, (i) =>
      Effect.flatMap(Runs, (runs) =>
        runs.accept(question({ clientMsgId: `m-${i % 5}`, session: { chatId } }))
      )
    )
    expect(accepted.filter(({ fresh }) => fresh)).toHaveLength(5)
    const users = yield* onEach(5, (i) => Effect.flatMap(Users, (users) => users.register(`user ${i}`, "")))
    expect(users.filter((user) => user.role === "admin")).toHaveLength(1)
    const [server] = servers
    if (server === undefined) return expect.unreachable()
    const audit = yield* Effect.provide(
      Effect.flatMap(Audit, (audit) => audit.list({ objectId: null, limit: 10 })),
      server
    )
    expect(audit.map(({ action, objectId }) => [action, objectId])).toEqual([["chat.create", chatId]])
  })
)

it.scopedLive("message ids are exact up to 2^53 - 1, and refused beyond", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const messages = yield* Messages
    const chatId = freshId()
    yield* sql.unsafe(`ALTER TABLE chat_message AUTO_INCREMENT = ${Number.MAX_SAFE_INTEGER - 1}`)
    const run = yield* round(chatId, "why?")
    expect(run.question_id).toBe(Number.MAX_SAFE_INTEGER - 1)
    const page = yield* messages.page({ chatId, before: Number.MAX_SAFE_INTEGER, limit: 10 })
    expect(page.map(({ id }) => id)).toEqual([Number.MAX_SAFE_INTEGER - 1])
    expect(Option.getOrThrow(yield* messages.get(Number.MAX_SAFE_INTEGER)).message).toBe("why?!")
    const beyond = yield* Effect.flip(round(chatId, "and now?"))
    expect(beyond).toMatchObject({ _tag: "StorageError", operation: "runs.accept" })
    expect(yield* messages.page({ chatId, before: null, limit: 10 })).toHaveLength(2)
  }).pipe(Effect.provide(Layer.unwrapScoped(opened)))
)

it.scopedLive("connections that the server has closed are replaced", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* Effect.all(
      times(8, () => round(freshId(), "why?")),
      { concurrency: "unbounded" }
    )
    const others = yield* sql<{
      id: number
    }>`SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()`
    expect(others.length).toBeGreaterThan(1)
    for (const { id } of others) yield* sql.unsafe(`KILL ${id}`)
    // Whoever finds his connection closed asks again; nobody hangs, and the pool is whole afterwards.
    const rounds = yield* Effect.all(
      times(8, () => Effect.retry(round(freshId(), "and now?"), { times: 20 })),
      { concurrency: "unbounded" }
    )
    expect(rounds).toHaveLength(8)
  }).pipe(Effect.provide(Layer.unwrapScoped(opened)))
)

it.scopedLive(
  "what a silent line never answers is given up, in a transaction and outside, and asked anew",
  () =>
    Effect.gen(function* () {
      const address = new URL(yield* freshDatabase)
      const line = yield* proxy([{ host: address.hostname, port: Number(address.port) }])
      address.port = String(line.port)
      const url = Redacted.make(address.href)
      const patience = Duration.seconds(1)
      const database = yield* Effect.provide(makeDatabase, yield* Layer.build(mysqlClient(url, patience)))
      const { sql, atomic, ask } = database
      const asked = ask(sql`SELECT 1 AS one`)
      const stored = atomic(
        Effect.zipRight(
          ask(sql`CREATE TABLE IF NOT EXISTS kept (id INTEGER)`),
          ask(sql`INSERT INTO kept VALUES (1)`)
        )
      )
      yield* Effect.zip(asked, stored)
      const open = line.connections()
      yield* line.stall
      const [reading, writing] = yield* Effect.all([Effect.flip(asked), Effect.flip(stored)], {
        concurrency: "unbounded"
      })
      for (const { cause } of [reading, writing]) {
        expect(String(cause)).toContain("the database has not answered for 1s")
      }
      yield* line.unstall
      // The connections are closed, not only left alone.
      yield* Effect.sync(line.connections).pipe(
        Effect.repeat({ until: (left) => left <= open - 2, schedule: Schedule.spaced("10 millis") })
      )
      expect(yield* asked).toEqual([{ one: 1 }])
      yield* stored
    })
)

it.scopedLive("a statement of a reserved connection takes as long as it needs", () =>
  Effect.gen(function* () {
    const url = Redacted.make(yield* freshDatabase)
    const sql = Context.get(yield* Layer.build(mysqlClient(url, "200 millis")), SqlClient.SqlClient)
    const slow = "SELECT SLEEP(0.6) AS slept"
    expect(String((yield* Effect.flip(sql.unsafe(slow))).cause)).toContain("has not answered")
    const connection = yield* sql.reserve
    expect(yield* connection.executeUnprepared(slow, [], undefined)).toEqual([{ slept: 0 }])
  })
)

it.scopedLive("whoever is chosen to give way in a deadlock tries again", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const runs = yield* Runs
    const accepted = yield* Effect.forEach(
      times(2, () => question()),
      runs.accept
    )
    const [first, second] = accepted.map(({ run }) => run.id).toSorted()
    if (first === undefined || second === undefined) return expect.unreachable()
    const waiting = sql<{
      n: number
    }>`SELECT COUNT(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ${"UPDATE run SET partial_text%"} AND trx_mysql_thread_id IN (SELECT id FROM information_schema.processlist WHERE db = DATABASE())`
    const parts = [first, second].map((runId) => ({ runId, text: "kept", reasoning: "" }))
    const gate = yield* Effect.makeLatch(false)
    const checkpoint = yield* Effect.fork(gate.whenOpen(runs.checkpoint(parts)))
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`SELECT id FROM run WHERE id = ${second} FOR UPDATE`
        // The one who has written more stays.
        yield* sql.unsafe(
          `INSERT INTO audit_log (user_id, action, object_id, ip, create_time) SELECT 1, '', '', '', NOW(3) FROM ${digits} a, ${digits} b, ${digits} c`
        )
        yield* gate.open
        // It has the first, and waits for the second. The server renews what it tells of this only for
        // somebody who has not asked for 100 ms.
        yield* Effect.repeat(waiting, {
          until: ([row]) => row?.n === 1,
          schedule: Schedule.spaced("120 millis")
        })
        yield* sql`SELECT id FROM run WHERE id = ${first} FOR UPDATE`
      })
    )
    yield* Fiber.join(checkpoint)
    for (const id of [first, second]) {
      expect(Option.getOrThrow(yield* runs.get(id)).partial_text).toBe("kept")
    }
  }).pipe(Effect.provide(Layer.unwrapScoped(opened)))
)

it.scopedLive("a statement's text is one statement", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const connection = yield* sql.reserve
    const two = connection.executeUnprepared("SELECT 1; SELECT 2", [], undefined)
    expect((yield* Effect.flip(two)).cause).toMatchObject({ code: "ER_PARSE_ERROR" })
  }).pipe(Effect.provide(Layer.unwrapScoped(opened)))
)

/** Rows that a connection has read so far. */
const rowsRead = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const counters = yield* sql<{ Value: string }>`SHOW SESSION STATUS LIKE 'Handler_read%'`
  return counters.reduce((sum, { Value }) => sum + Number(Value), 0)
})

it.scopedLive("a page of history reads its own rows, however long the history and the table are", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const messages = yield* Messages
    const chatId = freshId()
    const run = yield* round(chatId, "why?")
    const columns =
      "is_bot, source, type, category, flow_id, user_id, run_id, liked, solved, copied, sensitive_status, message, intermediate_steps, files, extra, remark, sender, receiver, create_time, update_time"
    // Each message 3,125 times in this chat, and as often in others.
    yield* sql.unsafe(
      `INSERT INTO chat_message (chat_id, ${columns}) SELECT IF(e.n < 1, chat_id, CONCAT(chat_id, a.n, e.n)), ${columns} FROM chat_message, ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${digits} e ORDER BY RAND()`
    )
    yield* sql.unsafe("ANALYZE TABLE chat_message")
    const read = (before: number | null) =>
      Effect.gen(function* () {
        const start = yield* rowsRead
        const page = yield* messages.page({ chatId, before, limit: 10 })
        const end = yield* rowsRead
        const own = (yield* rowsRead) - end
        expect(page).toHaveLength(10)
        return end - start - own
      })
    const connection = yield* sql.reserve
    const counts = yield* Effect.forEach([null, run.question_id + 6000, run.question_id + 3000], read).pipe(
      Effect.provideService(SqlClient.TransactionConnection, [connection, 0])
    )
    for (const count of counts) expect(count).toBeLessThan(20)
  }).pipe(Effect.provide(Layer.unwrapScoped(opened)))
)

it.live("a server that does not answer is an error at once", () =>
  Effect.gen(function* () {
    // Port 1 of this machine: nobody listens there.
    const stores = Layer.build(Storage.Mysql(Redacted.make("mysql://root:secret@127.0.0.1:1/colloquy")))
    const error = yield* Effect.flip(Effect.scoped(stores))
    expect(error).toMatchObject({ _tag: "StorageError", operation: "connect to the database" })
    expect(JSON.stringify(error)).not.toContain("secret")
  })
)

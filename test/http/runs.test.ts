import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Runs } from "../../src/storage/Runs.ts"
import { promptGraph } from "../app/graphs.ts"
import { dialogue, end, graph, start } from "../app/workflow/support.ts"
import { flowIds } from "../support/apps.ts"
import { isClose, type TestClient } from "../support/client.ts"
import { redisServer } from "../support/faults/redis.ts"
import { type FullServer, startFull } from "../support/fullServer.ts"
import { type Answer, at, type Someone, startHttp, success } from "./support.ts"

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

const rowsOf = (body: unknown): ReadonlyArray<unknown> => {
  const data = at(body, "data")
  return Array.isArray(data) ? data : []
}

const each = ({ body }: Pick<Answer, "body">, ...fields: ReadonlyArray<string>) =>
  rowsOf(body).map((row) => fields.map((field) => at(row, field)))

/** Asked again until it is so. */
const eventually = <A>(ask: Effect.Effect<A>, isSo: (answer: A) => boolean): Effect.Effect<A> =>
  ask.pipe(
    Effect.filterOrFail(isSo),
    Effect.retry(Schedule.spaced("10 millis")),
    Effect.timeout("10 seconds"),
    Effect.orDie
  )

/** No question may be longer. */
const maxFrameBytes = 2000

const people = Effect.gen(function* () {
  const server = yield* startHttp({ settings: { maxFrameBytes } })
  const root = yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.register("bob")
  const list = (as: Someone, query = "") => server.get(`/runs${query}`, { as })
  const stop = (as: Someone, runId: string) => server.post(`/runs/${runId}/stop`, undefined, { as })
  const amend = (as: Someone, runId: string, message: unknown) =>
    server.ask("PATCH", `/runs/${runId}`, { as, json: { message } })
  /** The id of the run of a question, once it was accepted. */
  const runOf = (as: Someone, chatId: string, clientMsgId: string) =>
    Effect.map(
      eventually(list(as, `?chat_id=${chatId}`), (answer) => answer.text.includes(`"${clientMsgId}"`)),
      ({ body }) =>
        String(
          at(
            rowsOf(body).find((row) => at(row, "client_msg_id") === clientMsgId),
            "run_id"
          )
        )
    )
  return { server, root, ada, bob, list, stop, amend, runOf }
})

const ask = (text: string, id: string) => ({ inputs: { input: text }, client_msg_id: id })

/** One question that is being answered, and those that wait behind it. */
const busy = (waiting: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const all = yield* people
    const { server, ada, runOf } = all
    const socket = yield* server.socket(flowIds.gated, "c1", ada)
    yield* socket.say(ask("first", "m0"))
    yield* server.gate(0).begun
    const ids = [yield* runOf(ada, "c1", "m0")]
    for (const [i, text] of waiting.entries()) {
      yield* socket.say(ask(text, `m${i + 1}`))
      ids.push(yield* runOf(ada, "c1", `m${i + 1}`))
    }
    return { ...all, socket, id: (index: number): string => ids[index] ?? "" }
  })

const questionsTold = ({ frames }: TestClient) =>
  frames.flatMap(({ type, question }) => (type === "begin" ? [question?.message] : []))

describe("the runs of a chat", () => {
  it.scopedLive("are listed newest first, with their question, their turn and what they cost", () =>
    Effect.gen(function* () {
      const { list, ada, id } = yield* busy(["second", "third"])
      const answer = yield* list(ada, "?chat_id=c1")
      expect(answer.status).toBe(200)
      expect(each(answer, "question", "status", "position")).toEqual([
        ["third", "queued", 2],
        ["second", "queued", 1],
        ["first", "running", null]
      ])
      const run = {
        chat_id: "c1",
        flow_id: flowIds.gated,
        action: "default",
        owner: "node-1",
        create_time: isoTime,
        end_time: null,
        prompt_tokens: 0,
        completion_tokens: 0,
        error: ""
      }
      expect(rowsOf(answer.body).slice(1)).toEqual([
        {
          ...run,
          run_id: id(1),
          client_msg_id: "m1",
          question: "second",
          status: "queued",
          position: 1,
          start_time: null
        },
        {
          ...run,
          run_id: id(0),
          client_msg_id: "m0",
          question: "first",
          status: "running",
          position: null,
          start_time: isoTime
        }
      ])
      expect(each(yield* list(ada, "?chat_id=c1&limit=1"), "question")).toEqual([["third"]])
    })
  )

  it.scopedLive("tell in which order they come, where one was put before the others", () =>
    Effect.gen(function* () {
      const { server, list, ada, socket } = yield* busy(["second"])
      yield* socket.say({ ...ask("at once", "m9"), on_busy: "interrupt" })
      yield* server.gate(1).begun
      const answer = yield* list(ada, "?chat_id=c1")
      expect(each(answer, "question", "status", "position")).toEqual([
        ["at once", "running", null],
        ["second", "queued", 1],
        ["first", "stopped", null]
      ])
    })
  )

  it.scopedLive("tell how they ended", () =>
    Effect.gen(function* () {
      const { server, list, ada } = yield* people
      const socket = yield* server.socket(flowIds.failing, "c1", ada)
      yield* socket.say(ask("go", "m1"))
      yield* socket.until(isClose)
      const [failed] = rowsOf((yield* list(ada, "?chat_id=c1")).body)
      expect(failed).toMatchObject({
        status: "failed",
        error: "the model server answered 500",
        start_time: isoTime,
        end_time: isoTime
      })
      yield* server.chat(ada, "c2", [["one", "two"]], flowIds.echo)
      expect(each(yield* list(ada, "?chat_id=c2"), "status", "client_msg_id")).toEqual([["done", null]])
    })
  )

  it.scopedLive("are none where nobody has written", () =>
    Effect.gen(function* () {
      const { list, ada } = yield* people
      expect((yield* list(ada, "?chat_id=new")).body).toEqual(success([]))
    })
  )

  it.scopedLive("are for the chat's owner and admins", () =>
    Effect.gen(function* () {
      const { server, list, stop, amend, root, ada, bob, id } = yield* busy(["second"])
      expect((yield* list(bob, "?chat_id=c1")).status).toBe(403)
      for (const refused of [
        yield* stop(bob, id(0)),
        yield* stop(bob, id(1)),
        yield* amend(bob, id(1), "x")
      ]) {
        expect(refused.status).toBe(403)
        expect(refused.body).toEqual({
          status_code: 403,
          status_message: "this run is not yours",
          data: null
        })
      }
      for (const [method, path] of [
        ["GET", "/runs"],
        ["POST", `/runs/${id(0)}/stop`],
        ["PATCH", `/runs/${id(1)}`]
      ] as const) {
        const headers = { "share-token": "anything" }
        const json = method === "PATCH" ? { json: { message: "x" } } : {}
        expect((yield* server.ask(method, path, { headers, ...json })).status).toBe(401)
      }
      expect(each(yield* list(ada, "?chat_id=c1"), "question", "status")).toEqual([
        ["second", "queued"],
        ["first", "running"]
      ])
      expect(each(yield* list(root, "?chat_id=c1"), "question")).toEqual([["second"], ["first"]])
    })
  )

  it.scopedLive("are asked for in words that make sense, or it is said which do not", () =>
    Effect.gen(function* () {
      const { server, list, stop, amend, ada, id } = yield* busy(["second"])
      for (const [query, field] of [
        ["?chat_id=a%20b", "chat_id"],
        ["?limit=0", "limit"],
        ["?limit=101", "limit"],
        ["?limit=ten", "limit"]
      ] as const) {
        const answer = yield* list(ada, query)
        expect(answer.status, query).toBe(422)
        expect(at(answer.body, "status_message"), query).toMatch(new RegExp(`^${field}: `))
      }
      for (const message of ["", "  \n ", null, 7, ["x"], "é".repeat(maxFrameBytes / 2 + 1)]) {
        const answer = yield* amend(ada, id(1), message)
        expect(answer.status).toBe(422)
        expect(at(answer.body, "status_message")).toMatch(/^message: /)
      }
      expect((yield* amend(ada, id(1), "é".repeat(maxFrameBytes / 2))).status).toBe(200)
      expect((yield* server.ask("PATCH", `/runs/${id(1)}`, { as: ada, json: {} })).status).toBe(422)
      expect((yield* stop(ada, "f".repeat(32))).status).toBe(404)
      expect((yield* amend(ada, "f".repeat(32), "x")).status).toBe(404)
      expect((yield* stop(ada, "a%20b")).status).toBe(422)
    })
  )
})

describe("what runs or waits now", () => {
  it.scopedLive("is everybody's for an admin, one's own for others", () =>
    Effect.gen(function* () {
      const { server, list, root, ada, bob, runOf } = yield* busy(["second"])
      const bobs = yield* server.socket(flowIds.gated, "bobs", bob)
      yield* bobs.say(ask("bob's", "b1"))
      yield* server.gate(1).begun
      yield* runOf(bob, "bobs", "b1")
      yield* server.chat(bob, "past", [["old", "answered"]], flowIds.echo)
      expect(each(yield* list(root), "chat_id", "question", "status", "position")).toEqual([
        ["bobs", "bob's", "running", null],
        ["c1", "second", "queued", 1],
        ["c1", "first", "running", null]
      ])
      expect(each(yield* list(root, "?limit=1&chat_id="), "question")).toEqual([["bob's"]])
      expect(each(yield* list(ada), "question")).toEqual([["second"], ["first"]])
      expect(each(yield* list(bob), "question")).toEqual([["bob's"]])
    })
  )
})

describe("stopping a run", () => {
  it.scopedLive("ends one that is being answered, once, and those behind it go on", () =>
    Effect.gen(function* () {
      const { server, stop, ada, socket, id } = yield* busy(["second"])
      yield* server.gate(0).text("half an answer")
      const answer = yield* stop(ada, id(0))
      expect(answer.body).toEqual(success({ stopped: true }))
      yield* server.gate(0).interrupted
      yield* server.gate(1).begun
      expect((yield* stop(ada, id(0))).body).toEqual(success({ stopped: false }))
      yield* server.gate(1).finish
      yield* socket.untilCount(isClose, 2)
      expect(questionsTold(socket)).toEqual(["first", "second"])
      const ends = socket.frames.filter(({ type, category }) => type === "end" && category === "answer")
      expect(ends[0]?.message).toBe("half an answer")
    })
  )

  it.scopedLive("takes one that waits for its turn out of the queue, and no other", () =>
    Effect.gen(function* () {
      const { server, list, stop, ada, socket, id } = yield* busy(["second", "third"])
      expect((yield* stop(ada, id(1))).body).toEqual(success({ stopped: true }))
      expect(each(yield* list(ada, "?chat_id=c1"), "question", "status", "position")).toEqual([
        ["third", "queued", 1],
        ["second", "stopped", null],
        ["first", "running", null]
      ])
      expect((yield* stop(ada, id(1))).body).toEqual(success({ stopped: false }))
      yield* server.gate(0).finish
      expect((yield* server.gate(1).begun).text).toBe("third")
      yield* server.gate(1).finish
      yield* socket.untilCount(isClose, 3)
      // Nobody waits in vain for the one that was cancelled.
      expect(questionsTold(socket)).toEqual(["first", "second", "third"])
    })
  )

  it.scopedLive("works for whoever asks first, however many ask at once", () =>
    Effect.gen(function* () {
      const { stop, ada, root, socket, id } = yield* busy([])
      const all = yield* Effect.forEach([ada, root, ada, root], (one) => stop(one, id(0)), {
        concurrency: "unbounded"
      })
      expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200])
      expect(all.some(({ body }) => at(body, "data", "stopped") === true)).toBe(true)
      yield* socket.until(isClose)
      expect(socket.frames.filter(isClose)).toHaveLength(1)
    })
  )

  it.scopedLive("by an admin is written down", () =>
    Effect.gen(function* () {
      const { server, stop, root, ada, id } = yield* busy(["second"])
      yield* stop(root, id(0))
      expect(yield* server.audit(id(0))).toEqual([{ action: "run.stop", userId: root.id }])
      yield* stop(ada, id(1))
      expect(yield* server.audit(id(1))).toEqual([])
    })
  )
})

describe("changing a question that waits", () => {
  it.scopedLive("changes what is asked, shown and stored", () =>
    Effect.gen(function* () {
      const { server, list, amend, ada, socket, id } = yield* busy(["second", "third"])
      const answer = yield* amend(ada, id(1), "better")
      expect(answer.body).toMatchObject({
        status_code: 200,
        data: { run_id: id(1), question: "better", status: "queued", position: 1 }
      })
      expect(each(yield* list(ada, "?chat_id=c1"), "question")).toEqual([["third"], ["better"], ["first"]])
      yield* server.gate(0).finish
      expect(yield* server.gate(1).begun).toMatchObject({ text: "better", inputs: { input: "better" } })
      yield* server.gate(1).finish
      yield* socket.untilCount(isClose, 2)
      expect(questionsTold(socket).slice(0, 2)).toEqual(["first", "better"])
      const history = yield* server.get("/chat/history?chat_id=c1", { as: ada })
      expect(history.text).toContain("better")
      expect(history.text).not.toContain("second")
    })
  )

  it.scopedLive("changes the text under whichever key it was asked, and leaves the rest", () =>
    Effect.gen(function* () {
      const { server, amend, ada, socket, runOf } = yield* busy([])
      const inputs = { id: "node-7", topic: "tea", size: 3 }
      yield* socket.say({ inputs, client_msg_id: "m1" })
      yield* amend(ada, yield* runOf(ada, "c1", "m1"), "coffee")
      yield* server.gate(0).finish
      expect(yield* server.gate(1).begun).toMatchObject({
        text: "coffee",
        inputs: { ...inputs, topic: "coffee" }
      })
    })
  )

  it.scopedLive("is refused as soon as it does not wait any more", () =>
    Effect.gen(function* () {
      const { server, stop, amend, ada, socket, id } = yield* busy(["second"])
      const refused = {
        status_code: 13011,
        status_message: "this question does not wait any more: it is being answered, or has ended",
        data: null
      }
      const running = yield* amend(ada, id(0), "too late")
      expect([running.status, running.body]).toEqual([200, refused])
      yield* stop(ada, id(1))
      expect((yield* amend(ada, id(1), "too late")).body).toEqual(refused)
      yield* server.gate(0).finish
      yield* socket.untilCount(isClose, 2)
      expect((yield* amend(ada, id(0), "too late")).body).toEqual(refused)
      expect((yield* server.get("/chat/history?chat_id=c1", { as: ada })).text).not.toContain("too late")
    })
  )

  it.scopedLive("at the moment of its turn either is in time or is refused", () =>
    Effect.gen(function* () {
      const { server, amend, ada, runOf } = yield* people
      for (const round of [0, 1, 2]) {
        const chatId = `c${round}`
        const socket = yield* server.socket(flowIds.gated, chatId, ada)
        yield* socket.say(ask("first", "m0"))
        yield* server.gate(round * 2).begun
        yield* socket.say(ask("second", "m1"))
        const runId = yield* runOf(ada, chatId, "m1")
        const [answer] = yield* Effect.all([amend(ada, runId, "amended"), server.gate(round * 2).finish], {
          concurrency: "unbounded"
        })
        const { text } = yield* server.gate(round * 2 + 1).begun
        const inTime = at(answer.body, "status_code") === 200
        expect(text).toBe(inTime ? "amended" : "second")
        const history = yield* server.get(`/chat/history?chat_id=${chatId}`, { as: ada })
        expect(history.text.includes("amended")).toBe(inTime)
      }
    })
  )

  it.scopedLive("takes the latest of several changes at once, whole", () =>
    Effect.gen(function* () {
      const { server, amend, ada, id } = yield* busy(["second"])
      const texts = ["red", "green", "blue"]
      yield* Effect.forEach(texts, (text) => amend(ada, id(1), text), { concurrency: "unbounded" })
      yield* server.gate(0).finish
      const { text, inputs } = yield* server.gate(1).begun
      expect(texts).toContain(text)
      expect(inputs).toEqual({ input: text })
    })
  )

  it.scopedLive("is refused where no question began the run", () =>
    Effect.gen(function* () {
      const { amend, ada, socket, runOf } = yield* busy([])
      yield* socket.say({ action: "auto_file", inputs: { data: [], questions: ["a"] }, client_msg_id: "m1" })
      const answer = yield* amend(ada, yield* runOf(ada, "c1", "m1"), "x")
      expect(answer.status).toBe(422)
      expect(at(answer.body, "status_message")).toBe("message: this run was not begun by a question")
    })
  )
})

const call = (server: FullServer, method: string, path: string) =>
  Effect.flatMap(server.token(1), (token) =>
    Effect.promise(async () => {
      const response = await fetch(`${server.origin}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` }
      })
      const body: unknown = await response.json()
      return { status: response.status, body }
    })
  )

describe("a run that waits for a person", () => {
  it.scopedLive("is listed as such, and ends when it is stopped", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const app = yield* server.app(
        graph(
          [start(), dialogue("ask_1"), end],
          [
            ["start_1", "ask_1"],
            ["ask_1", "end_1"]
          ]
        ),
        10
      )
      const client = yield* server.connect(app)
      yield* client.say({ action: "init_data", flow_id: app, chat_id: "c1" })
      const prompt = yield* client.until(({ category }) => category === "input")
      const list = call(server, "GET", "/runs?chat_id=c1")
      expect(rowsOf((yield* list).body)).toMatchObject([
        { run_id: prompt.run_id, action: "workflow", question: "", status: "waiting_input", position: null }
      ])
      const stop = call(server, "POST", `/runs/${prompt.run_id}/stop`)
      expect((yield* stop).body).toEqual(success({ stopped: true }))
      yield* client.until(isClose)
      expect((yield* stop).body).toEqual(success({ stopped: false }))
      expect(each(yield* list, "status")).toEqual([["stopped"]])
    })
  )

  it.scopedLive("and one that was lost have their words, too", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const runs = Context.get(server.left.stores, Runs)
      yield* runs.accept({
        runId: "a".repeat(32),
        action: "default",
        owner: "node-9/0123abcd",
        clientMsgId: null,
        payload: "",
        entry: { startNow: true, onBusy: "enqueue", maxQueued: 1 },
        session: {
          chatId: "c1",
          flowId: flowIds.echo,
          flowType: 5,
          flowName: "",
          name: "",
          userId: 1,
          ip: ""
        },
        question: { is_bot: false, type: "over", category: "question", message: "gone" }
      })
      const end = { status: "lost", error: "", promptTokens: 3, completionTokens: 4, messages: [] } as const
      yield* runs.finish("a".repeat(32), end)
      const [run] = rowsOf((yield* call(server, "GET", "/runs?chat_id=c1")).body)
      // A node's name, without the word for its life.
      const shown = { status: "lost", owner: "node-9", prompt_tokens: 3, completion_tokens: 4 }
      expect(run).toMatchObject({ question: "gone", ...shown })
    })
  )
})

/** Two servers over one database and one Redis, as two nodes of one installation. */
const twoNodes = Effect.gen(function* () {
  const redis = yield* redisServer()
  const redisUrl = Option.some(Redacted.make(redis.url))
  const one = yield* startFull({
    settings: { redisUrl, nodeId: "one" },
    model: () => ({ holds: "on and on" })
  })
  const other = yield* startFull({ settings: { redisUrl, nodeId: "other" }, after: one.left })
  return { one, other, app: yield* one.app(promptGraph("{input}")) }
})

describe("on several nodes", () => {
  it.scopedLive("a run is stopped, or taken out of the queue, from any of them", () =>
    Effect.gen(function* () {
      const { one, other, app } = yield* twoNodes
      const client = yield* one.connect(app)
      yield* client.say(ask("first", "m0"))
      yield* one.model.holding(1)
      yield* client.say(ask("second", "m1"))
      yield* client.say(ask("third", "m2"))
      const list = call(other, "GET", "/runs?chat_id=c1")
      const listed = yield* eventually(list, ({ body }) => rowsOf(body).length === 3)
      expect(each(listed, "question", "status", "owner")).toEqual([
        ["third", "queued", "one"],
        ["second", "queued", "one"],
        ["first", "running", "one"]
      ])
      // What runs here and waits there, seen as one.
      expect(rowsOf((yield* call(other, "GET", "/runs")).body)).toEqual(rowsOf(listed.body))
      const [, second, first] = rowsOf(listed.body).map((row) => String(at(row, "run_id")))
      expect((yield* call(other, "POST", `/runs/${second}/stop`)).body).toEqual(success({ stopped: true }))
      expect((yield* call(other, "POST", `/runs/${first}/stop`)).body).toEqual(success({ stopped: true }))
      yield* one.model.interrupted(1)
      // The one that was cancelled is told as begun and over, then the third runs.
      yield* one.model.holding(2)
      yield* client.untilCount(isClose, 2)
      expect(questionsTold(client)).toEqual(["first", "second", "third"])
      expect((yield* call(other, "POST", `/runs/${first}/stop`)).body).toEqual(success({ stopped: false }))
    })
  )
})

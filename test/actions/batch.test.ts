import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isClose, nameOf, streamed, type TestClient } from "../support/client.ts"
import { closedTimes, errorIn, type FullServer, startFull, told } from "../support/fullServer.ts"
import { lastWords, type Speech } from "../support/speech.ts"
import { batch, fruit, retrieval } from "./graphs.ts"

const apples = "Colour of apples?"
const pears = "Colour of pears?"
const plums = "Colour of plums?"

const fill = (path: string, more: object = {}, name = "fruit.txt") => ({
  action: "auto_file",
  inputs: { data: [{ id: "file", file_path: path, name }] },
  ...more
})

const isAnswer = ({ type, category }: TestClient["frames"][number]) => type === "end" && category === "answer"

const row = ["start/question", "end/question", "start/processing", "stream/processing", "end/processing"]
const answeredRow = [...row, "start/answer", "end/answer"]
const received = ["begin/system", "start/processing", "end/processing", "start/processing"]

/** What a row was, in a line. */
const inBrief = (server: FullServer, chat = "c1") =>
  Effect.map(server.rows(chat), (rows) =>
    rows.map(({ category, message, intermediate_steps, remark }) =>
      [category, category === "answer" ? message : intermediate_steps || message, remark].join("|")
    )
  )

/** An app of three questions, its file, and a socket. */
const opened = (model?: Speech, questions: ReadonlyArray<string> = [apples, pears, plums]) =>
  Effect.gen(function* () {
    const server = yield* startFull(model === undefined ? {} : { model })
    const app = yield* server.app(batch(...questions))
    const path = yield* server.upload(app, "fruit.txt", fruit)
    return { server, app, path, client: yield* server.connect(app) }
  })

/** Answers, but this to the second question, as long as `until` says so. */
const butPears =
  (instead: ReturnType<Speech>, applies: () => boolean = () => true): Speech =>
  (request) =>
    lastWords(request) === pears && applies() ? instead : `<${lastWords(request)}>`

describe("a batch", () => {
  it.scopedLive("takes the file, answers its questions one by one, and gathers the answers", () =>
    Effect.gen(function* () {
      const { server, path, client } = yield* opened()
      yield* client.say(fill(path))
      yield* client.until(isClose)
      expect(told(client)).toEqual([
        ...received,
        ...answeredRow,
        ...answeredRow,
        ...answeredRow,
        "start/report",
        "end/report",
        "close/processing"
      ])
      expect(client.frames[0]?.question?.message).toBe("fruit.txt")
      expect(client.frames[2]?.intermediate_steps).toBe("文件上传完成，开始解析")
      const asked = client.frames.filter((frame) => nameOf(frame) === "end/question")
      expect(asked.map(({ intermediate_steps }) => intermediate_steps)).toEqual([apples, pears, plums])
      expect(asked.map(({ extra }) => JSON.parse(extra).progress)).toEqual(
        [0, 1, 2].map((done) => ({ done, total: 3 }))
      )
      const answers = client.frames.filter(isAnswer)
      expect(answers.map(({ message, source }) => [message, source])).toEqual(
        [apples, pears, plums].map((question) => [`<${question}>`, 1])
      )
      expect(answers.map(({ intermediate_steps }) => intermediate_steps)).toEqual(
        answers.map(({ message }) => message)
      )
      const gathered = [apples, pears, plums].map((one) => `### ${one} \n <${one}> \n `).join("")
      expect(client.frames.at(-2)?.intermediate_steps).toBe(gathered)

      const rows = yield* server.rows()
      expect(yield* inBrief(server)).toEqual([
        "question|fruit.txt|",
        ...[apples, pears, plums].flatMap((one) => [`question|${one}|`, `answer|<${one}>|`]),
        `report|${gathered}|`
      ])
      const numbered = client.frames.flatMap(({ message_id }) => (message_id === null ? [] : [message_id]))
      expect(numbered).toEqual(rows.slice(1).map(({ id }) => id))
      expect(
        (yield* server.chunks(answers[1]?.message_id)).map(({ chunk, file_name }) => [chunk, file_name])
      ).toEqual([["Pears are green.", "fruit.txt"]])
      expect(yield* server.run(client.frames[0]?.run_id)).toMatchObject({ status: "done", prompt_tokens: 30 })
    })
  )

  it.scopedLive("tells of a row that fails in the middle, and goes on with the rest", () =>
    Effect.gen(function* () {
      const { server, path, client } = yield* opened(butPears({ fails: "the model is gone", after: "half " }))
      yield* client.say(fill(path))
      yield* client.until(isClose)
      expect(told(client)).toEqual([
        ...received,
        ...answeredRow,
        ...answeredRow,
        ...answeredRow,
        "start/report",
        "end/report",
        "close/processing"
      ])
      const [, failed, last] = client.frames.filter(isAnswer)
      expect(failed?.message).toBe("the model is gone")
      expect(JSON.parse(failed?.extra ?? "")).toEqual({
        failed: true,
        row: 1,
        progress: { done: 1, total: 3 }
      })
      expect(last?.message).toBe(`<${plums}>`)
      expect(yield* inBrief(server)).toContain("answer|the model is gone|break_answer")
      expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("done")
    })
  )

  it.scopedLive("stopped in the middle keeps the rows that are done, and what was streamed", () =>
    Effect.gen(function* () {
      const { server, path, client } = yield* opened(butPears({ holds: "Pears, well " }))
      yield* client.say(fill(path))
      yield* client.until((frame) => streamed([frame]).includes("Pears, well"))
      yield* client.say({ action: "stop" })
      yield* server.model.interrupted(1)
      yield* client.until(isClose)
      expect(told(client)).toEqual([
        ...received,
        ...answeredRow,
        ...row.slice(0, -1),
        "end/answer",
        "end/processing",
        "close/processing"
      ])
      expect(yield* inBrief(server)).toEqual([
        "question|fruit.txt|",
        `question|${apples}|`,
        `answer|<${apples}>|`,
        `question|${pears}|`,
        "answer|Pears, well |break_answer"
      ])
      expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("stopped")
    })
  )

  it.scopedLive(
    "sent again under its client_msg_id goes on where it was stopped, and asks no row twice",
    () =>
      Effect.gen(function* () {
        let first = true
        const { server, path, client } = yield* opened(butPears({ holds: "Pears" }, () => first))
        yield* client.say(fill(path, { client_msg_id: "b1" }))
        yield* server.model.holding(1)
        yield* client.say({ action: "stop" })
        yield* client.until(isClose)
        first = false
        const from = client.frames.length
        yield* client.say(fill(path, { client_msg_id: "b1" }))
        yield* closedTimes(client, 2)
        expect(told(client, from)).toEqual([
          ...received,
          ...answeredRow,
          ...answeredRow,
          "start/report",
          "end/report",
          "close/processing"
        ])
        expect(server.model.asked()).toEqual([apples, pears, pears, plums])
        expect(client.frames[from]?.run_id).toBe(client.frames[0]?.run_id)
        const report = client.frames.at(-2)?.intermediate_steps
        for (const one of [apples, pears, plums]) expect(report).toContain(`### ${one} \n <${one}>`)
        const again = client.frames.length
        yield* client.say(fill(path, { client_msg_id: "b1" }))
        yield* client.untilCount(({ type }) => type === "begin", 3)
        expect(told(client, again)).toEqual(["begin/system"])
        expect(server.model.requests).toHaveLength(4)
      })
  )

  it.scopedLive("goes on after the server that ran it was shut down", () =>
    Effect.gen(function* () {
      const one = yield* opened(butPears({ holds: "Pears" }))
      yield* one.client.say(fill(one.path, { client_msg_id: "b1" }))
      yield* one.server.model.holding(1)
      yield* one.server.shutDown
      const two = yield* startFull({ after: one.server.left })
      const client = yield* two.connect(one.app)
      yield* client.say(fill(one.path, { client_msg_id: "b1" }))
      yield* client.until(isClose)
      expect(two.model.asked()).toEqual([pears, plums])
      expect(told(client).at(-3)).toBe("start/report")
      expect((yield* inBrief(two)).filter((line) => line === `answer|<${apples}>|`)).toHaveLength(1)
      expect((yield* two.run(client.frames[0]?.run_id)).status).toBe("done")
    })
  )

  it.scopedLive("asks the questions that the client names, and those of an uploaded table", () =>
    Effect.gen(function* () {
      const { server, app, path, client } = yield* opened()
      const named = { action: "auto_file", inputs: { ...fill(path).inputs, questions: [pears] } }
      yield* client.say(named)
      yield* client.until(isClose)
      // One question needs nothing gathered.
      expect(told(client)).toEqual([...received, ...answeredRow, "close/processing"])
      expect(server.model.asked()).toEqual([pears])
      const table = yield* server.upload(app, "questions.csv", `question,who\n${plums},Eve\n${apples},Ada\n`)
      yield* client.say({
        action: "auto_file",
        inputs: {
          data: [
            { id: "file", file_path: path },
            { id: "ask", file_path: table }
          ]
        }
      })
      yield* closedTimes(client, 2)
      expect(server.model.asked()).toEqual([pears, plums, apples])
    })
  )

  it.scopedLive("is a question's way to its file: later questions are asked of the same one", () =>
    Effect.gen(function* () {
      const { server, path, client } = yield* opened()
      yield* client.say(fill(path))
      yield* client.until(isClose)
      const from = client.frames.length
      yield* client.say({ inputs: { query: "What is green?" } })
      yield* closedTimes(client, 2)
      expect(told(client, from)).toEqual([
        "begin/system",
        "start/processing",
        "stream/processing",
        "end/processing",
        "start/answer",
        "end/answer",
        "close/processing"
      ])
      const answer = client.frames.at(-2)
      expect(answer?.source).toBe(1)
      expect((yield* server.chunks(answer?.message_id)).map(({ chunk }) => chunk)).toEqual([
        "Pears are green."
      ])
    })
  )

  it.scopedLive("without preset questions says that the file is parsed, and closes", () =>
    Effect.gen(function* () {
      const server = yield* startFull()
      const app = yield* server.app(retrieval())
      const path = yield* server.upload(app, "fruit.txt", fruit)
      const client = yield* server.connect(app)
      // As classic clients send it: `data` alone says what is meant.
      yield* client.say({ inputs: { data: [{ id: "file", file_path: path }] } })
      yield* client.until(isClose)
      expect(told(client)).toEqual([...received, "end/processing", "close/processing"])
      expect(client.frames.at(-2)?.intermediate_steps).toBe("文件解析完成")
      expect(server.model.requests).toEqual([])
    })
  )

  for (const [what, path] of [
    ["is not there", () => Effect.succeed(`files/${"0".repeat(32)}`)],
    [
      "was given to somebody else's chat",
      ({ server, app }: { server: FullServer; app: string }) =>
        server.upload(app, "secret.txt", "Mine alone.", 2, "theirs")
    ]
  ] as const) {
    it.scopedLive(`refuses in words a file that ${what}`, () =>
      Effect.gen(function* () {
        const { server, app, client } = yield* opened()
        yield* client.say(fill(yield* path({ server, app })))
        yield* client.until(isClose)
        expect(told(client)).toEqual(["begin/system", "start/processing", "end/error", "close/processing"])
        expect(yield* errorIn(client)).toMatchObject({
          status_code: 13006,
          data: { exception: expect.stringContaining("there is no such file; upload it again") }
        })
        expect(server.model.requests).toEqual([])
        expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("failed")
      })
    )
  }

  it.scopedLive("without the file that its graph reads says once what to do", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened()
      yield* client.say({ action: "auto_file", inputs: {} })
      yield* client.until(isClose)
      expect(told(client)).toEqual([
        ...received,
        "start/question",
        "end/question",
        "end/error",
        "close/processing"
      ])
      expect(client.frames[2]?.intermediate_steps).toBe("开始解析")
      expect(yield* errorIn(client)).toMatchObject({
        status_code: 13006,
        data: { error: expect.stringContaining("upload a file first") }
      })
      expect(server.model.requests).toEqual([])
    })
  )
})

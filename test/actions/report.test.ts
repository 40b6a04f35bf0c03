import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isClose, type TestClient } from "../support/client.ts"
import { docx, paragraph, readDocx } from "../support/docx.ts"
import { closedTimes, errorIn, type FullServer, startFull, told } from "../support/fullServer.ts"
import { lastWords, type Speech } from "../support/speech.ts"
import { report } from "./graphs.ts"

const sections = ["Tea", "Milk", "Sugar"]

const section = ["start/question", "end/question", "start/answer", "end/answer"]
const head = ["begin/system", "start/processing", "end/processing"]
const file = ["start/processing", "end/processing"]

const opened = (model?: Speech) =>
  Effect.gen(function* () {
    const server = yield* startFull(model === undefined ? {} : { model })
    const app = yield* server.app(report(...sections))
    return { server, app, client: yield* server.connect(app) }
  })

const isFile = ({ files }: TestClient["frames"][number]) => files !== null && files.length > 0

/** The document behind the frame's link, as text. */
const document = (server: FullServer, client: TestClient) =>
  Effect.gen(function* () {
    const frame = yield* client.until(isFile, "a file")
    const { status, bytes } = yield* server.download(frame.files?.[0]?.file_url ?? "")
    expect(status).toBe(200)
    const { paragraphs } = yield* Effect.promise(() => readDocx(bytes))
    return { frame, text: paragraphs.join("\n") }
  })

const but =
  (topic: string, instead: ReturnType<Speech>): Speech =>
  (request) =>
    lastWords(request).includes(topic) ? instead : `<${lastWords(request)}>`

describe("a report", () => {
  it.scopedLive("answers its sections in their order and hands over a Word document with the answers", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened()
      yield* client.say({
        action: "report",
        inputs: { data: [{ id: "who", name: "client", value: "Kestrel" }] }
      })
      yield* client.until(isClose)
      expect(told(client)).toEqual([...head, ...section, ...section, ...section, ...file, "close/processing"])
      expect(client.frames[2]?.intermediate_steps).toBe("开始生成报告")
      const { frame, text } = yield* document(server, client)
      expect(frame.files?.map(({ file_name }) => file_name)).toEqual(["Brief.docx"])
      expect(JSON.parse(frame.extra)).toEqual({ unfilled: [] })
      for (const topic of sections) expect(text).toContain(`<Write on ${topic}>`)
      const rows = yield* server.rows()
      expect(rows.map(({ category, message }) => [category, message])).toEqual([
        ["question", "Brief"],
        ...sections.flatMap((topic) => [
          ["question", topic],
          ["answer", `<Write on ${topic}>`]
        ]),
        ["processing", ""]
      ])
      expect(JSON.parse(rows.at(-1)?.files ?? "")).toEqual(frame.files)
      expect(frame.message_id).toBe(rows.at(-1)?.id)
      expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("done")
    })
  )

  it.scopedLive("fills the app's own template, and lists what nothing filled", () =>
    Effect.gen(function* () {
      const { server, app, client } = yield* opened()
      const body = [
        paragraph("For {{client}}: ", "{{Tea}}"),
        paragraph("{{chain_Milk}} / {{chain_2}}"),
        paragraph("By {{author}}")
      ].join("")
      yield* server.template(app, yield* Effect.promise(() => docx(body)))
      yield* client.say({
        action: "report",
        inputs: { data: [{ id: "who", name: "client", value: "Kestrel" }] }
      })
      yield* client.until(isClose)
      const { frame, text } = yield* document(server, client)
      expect(text).toContain("For Kestrel: <Write on Tea>")
      expect(text).toContain("<Write on Milk> / <Write on Sugar>")
      expect(JSON.parse(frame.extra)).toEqual({ unfilled: ["author"] })
    })
  )

  it.scopedLive("is what a plain question to such an app, or its form, comes to", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened()
      yield* client.say({ inputs: { topic: "whatever" } })
      yield* client.until(isClose)
      yield* document(server, client)
      yield* client.say({ inputs: { data: [{ id: "who", name: "client", value: "Eve" }] } })
      yield* closedTimes(client, 2)
      expect(client.frames.filter(isFile)).toHaveLength(2)
    })
  )

  it.scopedLive("tells of a section that fails, and writes the rest", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened(but("Milk", { fails: "no milk today" }))
      yield* client.say({ action: "report", inputs: {} })
      yield* client.until(isClose)
      expect(told(client)).toEqual([...head, ...section, ...section, ...section, ...file, "close/processing"])
      const answers = client.frames.filter(({ type, category }) => type === "end" && category === "answer")
      expect(answers[1]).toMatchObject({ message: "no milk today" })
      expect(JSON.parse(answers[1]?.extra ?? "")).toMatchObject({ failed: true, row: 1 })
      const { text } = yield* document(server, client)
      expect(text).toContain("<Write on Sugar>")
      expect(text).not.toContain("no milk today")
    })
  )

  it.scopedLive("of which nothing can be answered fails, and makes no document", () =>
    Effect.gen(function* () {
      const { client, server } = yield* opened(() => ({ fails: "the model is gone" }))
      yield* client.say({ action: "report", inputs: {} })
      yield* client.until(isClose)
      expect(told(client).slice(-2)).toEqual(["end/error", "close/processing"])
      expect(yield* errorIn(client)).toMatchObject({
        status_code: 13005,
        data: { error: expect.stringContaining("the model is gone") }
      })
      expect(client.frames.some(isFile)).toBe(false)
      expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("failed")
    })
  )

  it.scopedLive("stopped midway draws a line and hands over what is written", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened(but("Milk", { holds: "Milk is" }))
      yield* client.say({ action: "report", inputs: {} })
      yield* client.until(({ message }) => message === "<Write on Tea>", "the first section")
      yield* server.model.holding(1)
      yield* client.say({ action: "stop" })
      yield* client.until(isClose)
      expect(told(client)).toEqual([
        ...head,
        ...section,
        "start/divider",
        "end/divider",
        ...file,
        "end/processing",
        "close/processing"
      ])
      expect(
        client.frames.find(({ type, category }) => type === "end" && category === "divider")?.message
      ).toBe("主动退出")
      const { text } = yield* document(server, client)
      expect(text).toContain("<Write on Tea>")
      expect(text).not.toContain("Milk is")
      expect((yield* server.rows()).map(({ category }) => category)).toEqual([
        "question",
        "question",
        "answer",
        "divider",
        "processing"
      ])
      expect((yield* server.run(client.frames[0]?.run_id)).status).toBe("stopped")
    })
  )

  it.scopedLive("sent again after a stop writes only what was missing", () =>
    Effect.gen(function* () {
      let holds = true
      const { server, client } = yield* opened((request) =>
        holds && !lastWords(request).includes("Tea") ? { holds: "" } : `<${lastWords(request)}>`
      )
      const ask = { action: "report", inputs: {}, client_msg_id: "r1" }
      yield* client.say(ask)
      yield* client.until(({ message }) => message === "<Write on Tea>", "the first section")
      yield* server.model.holding(2)
      yield* client.say({ action: "stop" })
      yield* client.until(isClose)
      holds = false
      const from = client.frames.length
      yield* client.say(ask)
      yield* closedTimes(client, 2)
      expect(told(client, from)).toEqual([...head, ...section, ...section, ...file, "close/processing"])
      expect(server.model.asked().filter((text) => text.includes("Tea"))).toHaveLength(1)
      const files = client.frames.filter(isFile)
      const { bytes } = yield* server.download(files[1]?.files?.[0]?.file_url ?? "")
      const { paragraphs } = yield* Effect.promise(() => readDocx(bytes))
      for (const topic of sections) expect(paragraphs.join("\n")).toContain(`<Write on ${topic}>`)
    })
  )

  it.scopedLive("gives the document to nobody without the signature", () =>
    Effect.gen(function* () {
      const { server, client } = yield* opened()
      yield* client.say({ action: "report", inputs: {} })
      const frame = yield* client.until(isFile)
      const url = frame.files?.[0]?.file_url ?? ""
      const [path = "", ends = ""] = url.split(".")
      for (const key of [`${url}x`, `${path}.${ends}`, path]) {
        expect([401, 403]).toContain((yield* server.download(key)).status)
      }
    })
  )
})

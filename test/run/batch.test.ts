/** The action `auto_file`, on apps that answer as told. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { App, Form, FormValues } from "../../src/app/App.ts"
import { AppNotBuilt, RunFailed } from "../../src/protocol/errors.ts"
import type { RunEvent } from "../../src/protocol/RunEvent.ts"
import { batch, makeBatch } from "../../src/run/batch.ts"
import { answers, fails, fakeApp, pastRow, played, request, stoppedAt } from "./stage.ts"

const fileId = "a".repeat(32)

const withForm = (more: Partial<Form> = {}, app: Partial<App> = {}, seen: Array<FormValues> = []): App => {
  const form: Form = {
    questions: [{ nodeId: "InputNode-1", texts: ["one", "two", "three"] }],
    files: [{ nodeId: "InputFileNode-1", label: "file" }],
    variables: [{ nodeId: "VariableNode-1", names: ["名"] }],
    takesQuestion: true,
    fill: (values) =>
      Effect.sync(() => {
        seen.push(values)
        return { ...fakeApp(app), form }
      }),
    ...more
  }
  return { ...fakeApp(app), form }
}

const file = { id: "InputFileNode-1", file_path: `/api/v1/files/${fileId}`, name: "report.pdf" }
const taken = ["notice 文件上传完成，开始解析 …"]

describe("a batch", () => {
  it.effect("fills the app's nodes, asks each preset question, and gathers the answers", () =>
    Effect.gen(function* () {
      const seen: Array<FormValues> = []
      const variable = { id: "VariableNode-1", name: "名", value: "value" }
      const app = withForm({}, {}, seen)
      expect(yield* played(batch, request(app, { data: [file, variable] }))).toEqual([
        ...taken,
        "asked 0 one 0/3",
        "step thinking of A(one)",
        "answered 0 A(one) 0/3",
        "asked 1 two 1/3",
        "step thinking of A(two)",
        "answered 1 A(two) 1/3",
        "asked 2 three 2/3",
        "step thinking of A(three)",
        "answered 2 A(three) 2/3",
        "gathered ### one \n A(one) \n ### two \n A(two) \n ### three \n A(three) \n ",
        "finished 30+9"
      ])
      expect(seen).toEqual([
        { files: { "InputFileNode-1": fileId }, variables: { "VariableNode-1": { 名: "value" } } }
      ])
      expect(batch.question({ data: [file] }, app)).toBe("report.pdf")
    })
  )

  it.effect("tells a row that fails, gives no answer or would wait, and goes on", () =>
    Effect.gen(function* () {
      const app = withForm(
        {},
        {
          answer: ({ text }) =>
            text === "one"
              ? fails("model is gone")
              : text === "two"
                ? Stream.make<[RunEvent]>({ _tag: "Waiting", state: null })
                : text === "three"
                  ? Stream.empty
                  : answers("ok")
        }
      )
      const lines = yield* played(batch, request(app, { questions: ["one", "two", "three", " ", "four"] }))
      expect(lines).toEqual([
        "notice 开始解析 …",
        "asked 0 one 0/4",
        "failed 0 model is gone 0/4",
        "asked 1 two 1/4",
        "failed 1 this app waits for a person, which a list of questions cannot do 1/4",
        "asked 2 three 2/4",
        "failed 2 the app gave no answer 2/4",
        "asked 3 four 3/4",
        "step thinking of ok",
        "answered 3 ok 3/4",
        expect.stringContaining("### one \n model is gone \n "),
        "finished 10+3"
      ])
    })
  )

  it.effect(
    "asks the questions that come for an input node in place of its own, one alone without gathering",
    () =>
      Effect.gen(function* () {
        const entry = { id: "InputNode-1", value: ["only"] }
        expect(yield* played(batch, request(withForm(), { data: [entry] }))).toEqual([
          "notice 开始解析 …",
          "asked 0 only 0/1",
          "step thinking of A(only)",
          "answered 0 A(only) 0/1",
          "finished 10+3"
        ])
      })
  )

  it.effect("reads questions from a file, or says that it cannot", () =>
    Effect.gen(function* () {
      const asked = request(withForm(), { data: [{ id: "InputNode-1", file_path: fileId }] })
      const reading = makeBatch((id) => Effect.succeed([`what is ${id.slice(0, 3)}`]))
      expect(yield* played(reading, asked)).toContain("asked 0 what is aaa 0/1")
      expect((yield* played(batch, asked)).at(-1)).toContain("FAILED questions cannot be read")
    })
  )

  it.effect("goes on where it broke off: answered rows are kept, failed ones are asked again", () =>
    Effect.gen(function* () {
      const past = [pastRow(0, "kept"), pastRow(1, "no", "break_answer")]
      expect(yield* played(batch, request(withForm(), {}, past))).toEqual([
        "notice 开始解析 …",
        "asked 1 two 1/3",
        "step thinking of A(two)",
        "answered 1 A(two) 1/3",
        "asked 2 three 2/3",
        "step thinking of A(three)",
        "answered 2 A(three) 2/3",
        "gathered ### one \n kept \n ### two \n A(two) \n ### three \n A(three) \n ",
        "finished 20+6"
      ])
      expect(batch.continues).toBe(true)
    })
  )

  it.effect("ends with its rows done when it is stopped in the middle of one", () =>
    Effect.gen(function* () {
      const app = withForm({}, { answer: ({ text }) => (text === "two" ? Stream.never : answers("ok")) })
      const { lines, after } = yield* stoppedAt(batch, request(app, {}), "asked 1 two 1/3")
      expect(lines.slice(-2)).toEqual(["answered 0 ok 0/3", "asked 1 two 1/3"])
      expect(after).toEqual([])
    })
  )

  it.effect("says that the file is parsed where there is nothing to ask", () =>
    Effect.gen(function* () {
      expect(yield* played(batch, request(withForm({ questions: [] }), { data: [file] }))).toEqual([
        ...taken,
        "notice 文件解析完成",
        "finished 0+0"
      ])
    })
  )

  it.effect("runs an app without user input once, and says so", () =>
    Effect.gen(function* () {
      const lines = yield* played(batch, request(withForm({ takesQuestion: false }), { data: [file] }))
      expect(lines).toEqual([
        ...taken,
        "notice 当前Prompt设置无用户输入，PresetQuestion 不生效 …",
        "step thinking of A(start)",
        "answered A(start)"
      ])
    })
  )

  it.effect("fails with the reason when a document cannot be read or the app cannot be built", () =>
    Effect.gen(function* () {
      const ending = (fill: Form["fill"]) =>
        Effect.map(played(batch, request(withForm({ fill }), { data: [file] })), (lines) => lines.at(-1))
      const unread = new RunFailed({ reason: '"report.pdf" is encrypted', kind: "skill" })
      expect(yield* ending(() => Effect.fail(unread))).toContain("is encrypted")
      const unbuilt = new AppNotBuilt({ flowId: "x", reason: "no such node" })
      expect(yield* ending(() => Effect.fail(unbuilt))).toContain("no such node")
    })
  )

  it.effect("judges its inputs: what is malformed is no question, what fits no node is told", () =>
    Effect.gen(function* () {
      const app = withForm()
      for (const data of ["text", [1], [{ id: 5 }], [{ file_path: "x" }], [{ id: "a", value: { x: 1 } }]]) {
        expect(batch.question({ data }, app)).toBeNull()
      }
      expect(batch.question({ data: Array.from({ length: 10_000 }, () => file) }, app)).toBeNull()
      expect(batch.question({ data: [{ id: "a", value: "x".repeat(200_000) }] }, app)).toBeNull()
      const told = (inputs: Readonly<Record<string, unknown>>) =>
        Effect.map(played(batch, request(app, inputs)), (lines) => lines.join())
      expect(yield* told({ data: [{ id: "Nobody" }] })).toContain(
        'no input node "Nobody"; it has "InputFileNode-1"'
      )
      expect(yield* told({ data: [{ id: "VariableNode-1", name: "x", value: "y" }] })).toContain(
        'no variable "x"'
      )
      expect(yield* told({ data: [{ id: "InputFileNode-1" }] })).toContain("needs a file")
      expect(yield* told({ questions: Array.from({ length: 1_001 }, (_, i) => `q${i}`) })).toContain(
        "at most 1000"
      )
    })
  )
})

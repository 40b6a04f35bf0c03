/** The action `report`, on sections that answer as told and a maker that remembers what it was given. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Answering, App, Form } from "../../src/app/App.ts"
import type { ReportContent, ReportMakerService } from "../../src/app/report/ReportMaker.ts"
import { makeReport } from "../../src/run/report.ts"
import { answers, fails, fakeApp, pastRow, played, request, stoppedAt } from "./stage.ts"

const press = () => {
  const made: Array<ReportContent> = []
  const maker: ReportMakerService = {
    make: (content) =>
      Effect.sync(() => {
        made.push(content)
        return { name: `${content.name}.docx`, url: "/x", unfilled: [] }
      })
  }
  return { made, report: makeReport(maker) }
}

const reporting = (sections: Readonly<Record<string, Answering>>, more: Partial<App> = {}): App =>
  fakeApp({
    report: {
      name: "尽调报告",
      variables: { 客户: "甲" },
      sections: Object.entries(sections).map(([question, answering], i) => ({
        nodeId: "RetrievalQA-1",
        question,
        keys: [`RetrievalQA-1_${i}`, question, "RetrievalQA-1"],
        answer: () => answering
      }))
    },
    ...more
  })

describe("a report", () => {
  it.effect("answers its sections, tells them in order and makes the document of them", () =>
    Effect.gen(function* () {
      const { made, report } = press()
      const late = Stream.concat(Stream.fromEffect(Effect.yieldNow()).pipe(Stream.drain), answers("1"))
      const app = reporting({ one: late, two: answers("2") })
      expect(yield* played(report, request(app, {}))).toEqual([
        "notice 开始生成报告",
        "OnStop",
        "asked 0 one 0/2",
        "answered 0 1 0/2",
        "asked 1 two 1/2",
        "answered 1 2 1/2",
        "file 尽调报告.docx",
        "finished 20+6"
      ])
      expect(made).toEqual([
        {
          flowId: app.flowId,
          userId: 7,
          chatId: "c".repeat(32),
          name: "尽调报告",
          values: {
            客户: "甲",
            "RetrievalQA-1_0": "1",
            one: "1",
            "RetrievalQA-1": "1",
            "RetrievalQA-1_1": "2",
            two: "2"
          },
          sections: [
            { title: "one", text: "1" },
            { title: "two", text: "2" }
          ]
        }
      ])
      expect(report.question({}, app)).toBe("尽调报告")
    })
  )

  it.effect("works on several sections at the same time, on three at most", () =>
    Effect.gen(function* () {
      const { report } = press()
      let running = 0
      let most = 0
      const section = Stream.unwrap(
        Effect.gen(function* () {
          running += 1
          most = Math.max(most, running)
          for (let i = 0; i < 10; i++) yield* Effect.yieldNow()
          running -= 1
          return answers("x")
        })
      )
      const sections = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`q${i}`, section]))
      const lines = yield* played(report, request(reporting(sections), {}))
      expect(lines.filter((text) => text.startsWith("asked"))).toHaveLength(9)
      expect(most).toBe(3)
    })
  )

  it.effect("goes on without a section that fails, and fails when all do", () =>
    Effect.gen(function* () {
      const { made, report } = press()
      const lines = yield* played(
        report,
        request(reporting({ one: fails("no model"), two: answers("2") }), {})
      )
      expect(lines.slice(2)).toEqual([
        "asked 0 one 0/2",
        "failed 0 no model 0/2",
        "asked 1 two 1/2",
        "answered 1 2 1/2",
        "file 尽调报告.docx",
        "finished 10+3"
      ])
      expect(made[0]?.values).not.toHaveProperty("one")
      expect(made[0]?.sections).toEqual([
        { title: "one", text: "—" },
        { title: "two", text: "2" }
      ])
      const none = yield* played(report, request(reporting({ one: fails("no model") }), {}))
      expect(none.at(-1)).toContain("no model")
      expect(made).toHaveLength(1)
    })
  )

  it.effect("is made of the sections done when it is stopped midway", () =>
    Effect.gen(function* () {
      const { made, report } = press()
      const app = reporting({ one: answers("1"), two: Stream.never })
      const { lines, after } = yield* stoppedAt(report, request(app, {}), "answered 0 1 0/2")
      expect(lines.at(-1)).toBe("answered 0 1 0/2")
      expect(after).toEqual(["divider 主动退出", "file 尽调报告.docx"])
      expect(made[0]?.sections).toEqual([{ title: "one", text: "1" }])
    })
  )

  it.effect("keeps the sections that an earlier attempt answered", () =>
    Effect.gen(function* () {
      const { made, report } = press()
      const app = reporting({ one: fails("asked again"), two: answers("2") })
      const lines = yield* played(report, request(app, {}, [pastRow(0, "kept")]))
      expect(lines.slice(2, 4)).toEqual(["asked 1 two 1/2", "answered 1 2 1/2"])
      expect(made[0]?.values["one"]).toBe("kept")
    })
  )

  it.effect("takes files into the app's nodes first", () =>
    Effect.gen(function* () {
      const { report } = press()
      const form: Form = {
        questions: [],
        files: [{ nodeId: "File-1", label: "" }],
        variables: [],
        takesQuestion: true,
        fill: ({ files }) => Effect.succeed(reporting({ filled: answers(Object.values(files).join()) }))
      }
      const app = reporting({ empty: answers("") }, { form })
      const lines = yield* played(
        report,
        request(app, { data: [{ id: "File-1", file_path: "f".repeat(32) }] })
      )
      expect(lines).toEqual([
        "notice 文件上传完成，开始解析 …",
        "notice 文件解析完成，开始生成报告",
        "OnStop",
        "asked 0 filled 0/1",
        `answered 0 ${"f".repeat(32)} 0/1`,
        "file 尽调报告.docx",
        "finished 10+3"
      ])
    })
  )

  it.effect("says that an app writes none", () =>
    Effect.gen(function* () {
      const { report } = press()
      expect((yield* played(report, request(fakeApp(), {}))).join()).toContain("writes no report")
    })
  )
})

/** Reports as files: the app's newest template or the default one, filled, stored and linked. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { layer, ReportMaker, reportFileName } from "../../../src/app/report/ReportMaker.ts"
import { FileLinks, linkPrefix, makeFileLinks } from "../../../src/knowledge/links.ts"
import { Uploads } from "../../../src/knowledge/Uploads.ts"
import { Memory } from "../../../src/storage/memory/Memory.ts"
import { Reports } from "../../../src/storage/Reports.ts"
import { flowA, knowledge, owner } from "../../knowledge/fixtures.ts"
import { docx, paragraph, readDocx } from "../../support/docx.ts"

const links = Layer.succeed(FileLinks, makeFileLinks(Redacted.make("secret"), "1 hour"))
const reports = Layer.effect(Reports, Effect.provide(Reports, Memory))
const press = Layer.provideMerge(layer, Layer.mergeAll(knowledge(), links, reports))

const content = {
  flowId: flowA,
  userId: owner,
  chatId: "c".repeat(32),
  name: "尽调报告.docx",
  values: { "Q?": "answer" },
  sections: [{ title: "Q?", text: "answer" }]
}

/** What the file that a link leads to says. */
const linked = (url: string) =>
  Effect.gen(function* () {
    const id = yield* Effect.flatMap(FileLinks, ({ verify }) => verify(url.slice(linkPrefix.length)))
    const chunks = yield* Effect.flatMap(Uploads, (uploads) => Stream.runCollect(uploads.read(id)))
    return yield* Effect.promise(() => readDocx(Buffer.concat([...chunks])))
  })

const template = (body: string) =>
  Effect.gen(function* () {
    const bytes = yield* Effect.promise(() => docx(body))
    const uploads = yield* Uploads
    const file = yield* uploads.save({
      flowId: flowA,
      userId: owner,
      name: "template.docx",
      content: Stream.make(bytes),
      purpose: "template"
    })
    const reports = yield* Reports
    yield* reports.add({ flow_id: flowA, file_id: file.id, file_name: file.name, user_id: owner })
    return file.id
  })

describe("a report's document", () => {
  it.scopedLive("is made of the default template where the app has none", () =>
    Effect.gen(function* () {
      const { make } = yield* ReportMaker
      const made = yield* make(content)
      expect(made).toMatchObject({ name: "尽调报告.docx", unfilled: [] })
      const { paragraphs } = yield* linked(made.url)
      expect(paragraphs[0]).toBe("尽调报告")
      expect(paragraphs[1]).toMatch(/^\d{4}-\d\d-\d\d$/)
      expect(paragraphs.slice(2)).toEqual(["Q?", "answer"])
    }).pipe(Effect.provide(press))
  )

  it.scopedLive("is made of the app's newest template, and names what nothing filled", () =>
    Effect.gen(function* () {
      yield* template(paragraph("old"))
      yield* template(paragraph("new {{Q?}} {{missing}}"))
      const { make } = yield* ReportMaker
      const made = yield* make(content)
      expect(made.unfilled).toEqual(["missing"])
      expect((yield* linked(made.url)).paragraphs).toEqual(["new answer "])
    }).pipe(Effect.provide(press))
  )

  it.scopedLive("fails in words where the template has a mistake, or is gone", () =>
    Effect.gen(function* () {
      const { make } = yield* ReportMaker
      yield* template(paragraph("{{#a}} never closed"))
      expect((yield* Effect.flip(make(content))).reason).toContain("mistake")
      const uploads = yield* Uploads
      yield* uploads.remove(yield* template(paragraph("x")))
      expect((yield* Effect.flip(make(content))).reason).toContain("upload it again")
    }).pipe(Effect.provide(press))
  )

  it("has a name that every system takes", () => {
    expect(reportFileName("a")).toBe("a.docx")
    expect(reportFileName("../x/Q1?.DOCX")).toBe("Q1_.docx")
    expect(reportFileName("  ")).toBe("report.docx")
  })
})

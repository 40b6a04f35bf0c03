/** Filling .docx templates, on real files that are unpacked and read. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import JSZip from "jszip"
import { defaultTemplate } from "../../../src/app/report/defaultTemplate.ts"
import { fillLimits, fillTemplate } from "../../../src/app/report/fillTemplate.ts"
import { cell, docx, paragraph, readDocx, redDot, table } from "../../support/docx.ts"

const filled = (
  body: string,
  values: Readonly<Record<string, string>>,
  parts: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function* () {
    const template = yield* Effect.promise(() => docx(body, parts))
    const { bytes, unfilled } = yield* fillTemplate({ template, values, lists: {} })
    return { unfilled, ...(yield* Effect.promise(() => readDocx(bytes))) }
  })

const refused = (
  template: Uint8Array,
  limits = fillLimits,
  values: Readonly<Record<string, string>> = {}
): Effect.Effect<string> =>
  fillTemplate({ template, values, lists: {} }, limits).pipe(
    Effect.match({ onFailure: ({ reason }) => reason, onSuccess: () => "it was filled" })
  )

const question = "公司的主要供应商情况是什么？[2024] (a, b) & 50%"
const market = "| 年 | 收入 |\n| --- | --- |\n| 2023 | 1 **亿** |\n| 2024 | <2> |"

describe("filling a template", () => {
  it.live("puts a value where its name stands, whatever the name holds and however Word parts it", () =>
    Effect.gen(function* () {
      const { paragraphs, unfilled } = yield* filled(
        paragraph(`问：{{ ${question.replace("&", "&amp;")} }}。`) +
          paragraph("a {", "{公司的", "主要", "供应商}", "} b {{x}} c") +
          paragraph("{{LLM-1_0}}{{toString}}"),
        { [question]: "甲、乙 & 丙", 公司的主要供应商: "丁", x: "<y>", "LLM-1_0": "one" }
      )
      expect(paragraphs).toEqual(["问：甲、乙 & 丙。", "a 丁 b <y> c", "one"])
      expect(unfilled).toEqual(["toString"])
    })
  )

  it.live("finds a name that reads the same: width of signs, curved quotes, spaces", () =>
    Effect.gen(function* () {
      const { paragraphs } = yield* filled(paragraph("{{“是什么”\u00a0 吗?}}"), { '"是什么" 吗？': "好" })
      expect(paragraphs).toEqual(["好"])
    })
  )

  it.live("leaves a variable blank that nothing fills, and names it once", () =>
    Effect.gen(function* () {
      const { paragraphs, unfilled } = yield* filled(paragraph("[{{a}}|{{b}}|{{a}}|{{c}}]"), {
        b: "B",
        c: " "
      })
      expect(paragraphs).toEqual(["[|B||]"])
      expect(unfilled).toEqual(["a", "c"])
    })
  )

  it.live("keeps line breaks, and leaves out what no document may hold", () =>
    Effect.gen(function* () {
      const { paragraphs } = yield* filled(paragraph("{{a}}"), {
        a: "one\r\ntwo\n\n3 * 4 * 5\u0000\u0008\ud800"
      })
      expect(paragraphs).toEqual(["one\ntwo\n\n3 * 4 * 5"])
    })
  )

  it.live("makes a Word table of a Markdown table, between the text around it", () =>
    Effect.gen(function* () {
      const { paragraphs, tables } = yield* filled(paragraph("before {{t}} after {{u}}"), {
        t: `收入：\n\n${market}\n\n完`,
        u: "last"
      })
      expect(tables).toEqual([
        [
          ["年", "收入"],
          ["2023", "1 亿"],
          ["2024", "<2>"]
        ]
      ])
      expect(paragraphs).toEqual([
        "before ",
        "收入：",
        "年",
        "收入",
        "2023",
        "1 亿",
        "2024",
        "<2>",
        "完",
        " after last"
      ])
    })
  )

  it.live("ends a cell with a paragraph after a table in it", () =>
    Effect.gen(function* () {
      const { xml } = yield* filled(table([cell("{{t}}"), cell("{{n}}")]), { t: market, n: "n" })
      expect(xml).toMatch(/<\/w:tbl><w:p(?:\/>|>.*?<\/w:p>)<\/w:tc>/)
      expect(xml).not.toContain("</w:tbl></w:tc>")
    })
  )

  it.live("makes headings, lists and bold of Markdown's, in the look of the variable", () =>
    Effect.gen(function* () {
      const look = '<w:pPr><w:jc w:val="both"/></w:pPr><w:r><w:rPr><w:color w:val="FF0000"/></w:rPr>'
      const { paragraphs, xml } = yield* filled(`<w:p>${look}<w:t>{{a}}</w:t></w:r></w:p>`, {
        a: "# Head\n- one\n  - inner\n- **two** x\n\n1. first"
      })
      expect(paragraphs).toEqual(["Head", "• one", "    • inner", "• two x", "1. first"])
      expect(xml).toContain(
        '<w:rPr><w:b/><w:color w:val="FF0000"/></w:rPr><w:t xml:space="preserve">two</w:t>'
      )
      expect(xml.match(/<w:jc w:val="both"\/>/g)).toHaveLength(5)
    })
  )

  it.live("repeats a table's row for each row of a value that is a table or a list of objects", () =>
    Effect.gen(function* () {
      const row = (name: string) =>
        table(
          ["head", "x"].map((text) => cell(text)),
          [cell(`{{#${name}}}{{年}}`), cell(`{{收入}} {{unit}}{{/${name}}}`)]
        )
      const { tables, unfilled } = yield* filled(row("markdown") + row("json") + row("none"), {
        markdown: market,
        json: '[{"年": 1999, "收入": null}, {"年": "2000", "收入": true}]',
        unit: "元"
      })
      expect(tables).toEqual([
        [
          ["head", "x"],
          ["2023", "1 亿 元"],
          ["2024", "<2> 元"]
        ],
        [
          ["head", "x"],
          ["1999", " 元"],
          ["2000", "true 元"]
        ],
        [["head", "x"]]
      ])
      expect(unfilled).toEqual(["none"])
    })
  )

  it.live("places an image, alone or in the midst of text, and ignores one that is none", () =>
    Effect.gen(function* () {
      const { files, xml, paragraphs } = yield* filled(
        paragraph("{{a}}") + paragraph("{{b}}") + paragraph("{{c}}") + paragraph("{{d}}"),
        {
          a: redDot,
          b: `text ![alt "x" <y>](${redDot}) more`,
          c: "data:image/png;base64,AAAA",
          d: "![far](http://127.0.0.1:9/x.png)"
        }
      )
      expect(files.filter((name) => /^word\/media\/.*\.png$/.test(name))).toHaveLength(1)
      expect(xml.match(/<w:drawing>/g)).toHaveLength(2)
      expect(paragraphs.map((text) => text.trim()).filter((text) => text !== "")).toEqual([
        "text",
        "more",
        "![far](http://127.0.0.1:9/x.png)"
      ])
      expect(xml).toContain("xmlns:wp=")
    })
  )

  it.live("goes through the sections of a report by the default template", () =>
    Effect.gen(function* () {
      const { bytes, unfilled } = yield* fillTemplate({
        template: yield* Effect.promise(defaultTemplate),
        values: { title: "尽调报告", date: "2026-01-02" },
        lists: {
          sections: [
            { section: "Q1", text: market },
            { section: "Q2", text: "two\nlines" }
          ]
        }
      })
      const { paragraphs, tables } = yield* Effect.promise(() => readDocx(bytes))
      expect(unfilled).toEqual([])
      expect(tables).toHaveLength(1)
      expect(
        paragraphs.filter((text) => ["尽调报告", "2026-01-02", "Q1", "Q2", "two\nlines"].includes(text))
      ).toEqual(["尽调报告", "2026-01-02", "Q1", "Q2", "two\nlines"])
    })
  )
})

describe("a template that cannot be filled", () => {
  it.live("is refused in words: not a document, empty, braces that do not close, loops that do not end", () =>
    Effect.gen(function* () {
      expect(yield* refused(new TextEncoder().encode("hello"))).toContain("not a Word document")
      expect(yield* refused(new Uint8Array())).toContain("not a Word document")
      const zip = new JSZip().file("a.txt", "x")
      expect(
        yield* refused(yield* Effect.promise(() => zip.generateAsync({ type: "uint8array" })))
      ).toContain("not a Word document")
      const broken = (body: string) =>
        Effect.flatMap(
          Effect.promise(() => docx(body)),
          (bytes) => refused(bytes)
        )
      expect(yield* broken(paragraph("{{a") + paragraph("{{b}}"))).toContain("mistake")
      expect(yield* broken(paragraph("{{#rows}} x"))).toContain("rows")
    })
  )

  it.live("never executes what stands in it", () =>
    Effect.gen(function* () {
      const { paragraphs, unfilled } = yield* filled(
        paragraph("{{process.exit(1)}}{{constructor}}{{__proto__}}{{a.b}}{{= 1+1}}"),
        { "a.b": "dotted" }
      )
      expect(paragraphs).toEqual(["dotted"])
      expect(unfilled).toEqual(["process.exit(1)", "constructor", "__proto__", "= 1+1"])
    })
  )

  it.live("is refused before it is unpacked when it would be too large, or lies about its size", () =>
    Effect.gen(function* () {
      const large = "x".repeat(70 * 1024 * 1024)
      const bomb = yield* Effect.promise(() => docx(paragraph("a"), { "word/bomb.xml": large }))
      expect(bomb.byteLength).toBeLessThan(1024 * 1024)
      expect(yield* refused(bomb)).toContain("64 MB")
      const lying = Buffer.from(bomb)
      for (const mark of ["PK\x01\x02", "PK\x03\x04"]) {
        const nameAt = mark === "PK\x01\x02" ? 46 : 30
        let at = lying.indexOf(mark, 0, "latin1")
        while (at >= 0) {
          if (lying.subarray(at + nameAt, at + nameAt + 13).toString() === "word/bomb.xml") {
            lying.writeUInt32LE(100, at + nameAt - (mark === "PK\x01\x02" ? 22 : 8))
          }
          at = lying.indexOf(mark, at + 1, "latin1")
        }
      }
      expect(yield* refused(lying)).toContain("damaged")
    })
  )

  const body = paragraph("{{#rows}}{{a}}{{/rows}}").repeat(40)
  const rows = JSON.stringify(Array.from({ length: 5_000 }, () => ({ a: "x".repeat(200) })))

  it.live("is given up after its time", () =>
    Effect.gen(function* () {
      const template = yield* Effect.promise(() => docx(body))
      const reason = yield* refused(
        template,
        { ...fillLimits, timeout: "1 second", memoryMb: 2_000 },
        { rows }
      )
      expect(reason).toContain("took more than")
    })
  )

  it.live("is given up beyond its memory, and its text", () =>
    Effect.gen(function* () {
      const template = yield* Effect.promise(() => docx(body))
      expect(yield* refused(template, { ...fillLimits, memoryMb: 24 }, { rows })).toContain("too large")
      expect(yield* refused(template, { ...fillLimits, maxCharacters: 10 }, { rows })).toContain("more text")
    })
  )
})

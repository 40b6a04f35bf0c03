/** Files that nobody wrote with a text program: broken, locked, hollow, or made to do harm. */
import { expect, it } from "vitest"
import { type ParseJob, Unreadable } from "../../src/knowledge/parse/Parsed.ts"
import { parse } from "../../src/knowledge/parse/parse.ts"
import * as made from "./made.ts"

const limits = { path: "", maxPages: 500, maxChars: 4_000_000 }

const refusal = async (kind: ParseJob["kind"], bytes: Uint8Array | string): Promise<string> => {
  const error: unknown = await parse(Buffer.from(bytes), { kind, ...limits }).then(
    () => "it was read",
    (failure: unknown) => failure
  )
  return error instanceof Unreadable ? error.message : `no refusal: ${String(error)}`
}

it("a broken PDF, a cut one and one without letters", async () => {
  expect(await refusal("pdf", "%PDF-1.7\nnothing of the kind")).toContain("is damaged")
  const whole = await made.pdf([["x"]])
  expect(await refusal("pdf", whole.subarray(0, 60))).toContain("is damaged")
  expect(await refusal("pdf", await made.scan())).toContain("scanned pages cannot be read")
})

it("a PDF that only its owner's password protects is read like any other", async () => {
  const { parts } = await parse(Buffer.from(await made.pdf([["for all"]], { password: "" })), {
    kind: "pdf",
    ...limits
  })
  expect(parts.map(({ text }) => text)).toEqual(["for all"])
})

it("archives that are none, or hold something else than their name says", async () => {
  expect(await refusal("docx", "PK no archive")).toContain("is damaged")
  expect(await refusal("docx", await made.xlsx())).toContain("not what its name says")
  expect(await refusal("xlsx", await made.docx())).toContain("not what its name says")
  expect(await refusal("docx", await made.zip({ "word/document.xml": Buffer.from("<no") }))).toContain(
    "is damaged"
  )
  expect(await refusal("xlsx", await made.zip({ "xl/workbook.xml": Buffer.from("<no") }))).toContain(
    "is damaged"
  )
})

it("Office files with a password, and those from before 2007", async () => {
  const ole = Buffer.concat([
    Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
    Buffer.alloc(600)
  ])
  expect(await refusal("docx", ole)).toContain("protected by a password")
  expect(await refusal("xlsx", ole)).toContain("old format")
})

it("an archive that inflates to far more than its size is not opened, whatever it says of itself", async () => {
  const before = process.memoryUsage().rss
  expect(await refusal("docx", await made.bomb(60))).toContain("unpacks to far more")
  expect(await refusal("docx", await made.lyingBomb(60))).toContain("is damaged")
  const entries = Array.from({ length: 10_001 }, (_, at) => [`xl/${at}.xml`, new Uint8Array()])
  expect(await refusal("xlsx", await made.zip(Object.fromEntries(entries)))).toContain("unpacks to far more")
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
})

it("what is beyond the limits is left out, and said", async () => {
  const pages = await made.pdf([["one"], ["two"], ["three"]])
  const byPages = await parse(Buffer.from(pages), { kind: "pdf", ...limits, maxPages: 2 })
  expect(byPages.parts.map(({ text }) => text)).toEqual(["one", "two"])
  expect(byPages.cut).toBe("has 3 pages; at most 2 are read")
  const byChars = await parse(Buffer.from(pages), { kind: "pdf", ...limits, maxChars: 5 })
  expect(byChars.parts.map(({ text }) => text)).toEqual(["one", "tw"])
  expect(byChars.cut).toContain("more than 5 characters")
})

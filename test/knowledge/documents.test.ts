import * as FileSystem from "@effect/platform/FileSystem"
import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Settings } from "../../src/config.ts"
import { Documents } from "../../src/knowledge/Documents.ts"
import { storedPath } from "../../src/knowledge/stored.ts"
import * as made from "./made.ts"
import { load, refusal, shelf, store } from "./shelf.ts"

const when = <A>(make: () => Promise<A>) => Effect.promise(make)

it.live("a PDF comes page by page, with the place of every line from the page's top left corner", () =>
  Effect.gen(function* () {
    const bytes = yield* when(() => made.pdf([["First line", "Second line"], [], ["On the third page"]]))
    const docs = yield* load("report.pdf", bytes)
    expect(docs.map(({ page, text }) => ({ page, text }))).toEqual([
      { page: 1, text: "First line\nSecond line" },
      { page: 3, text: "On the third page" }
    ])
    const [first] = docs
    expect(first).toMatchObject({ fileName: "report.pdf", url: null, heading: "" })
    expect(first?.boxes.length).toBe(2)
    // Drawn with its baseline 742 points above the bottom of 842, in letters of 12 points.
    const [left = 0, top = 0, right = 0, bottom = 0] = first?.boxes[0]?.box ?? []
    expect(left).toBeCloseTo(72, 0)
    expect(top).toBeGreaterThan(85)
    expect(top).toBeLessThan(100)
    expect(bottom).toBeGreaterThan(100)
    expect(bottom).toBeLessThan(106)
    expect(right).toBeGreaterThan(110)
    expect(right).toBeLessThan(150)
  }).pipe(Effect.provide(shelf()))
)

it.live("a turned page's boxes lie on the page as it is shown", () =>
  Effect.gen(function* () {
    const bytes = yield* when(() => made.pdf([["Turned around"]], { rotated: 90 }))
    const [doc] = yield* load("turned.pdf", bytes)
    const [left = 0, top = 0, right = 0, bottom = 0] = doc?.boxes[0]?.box ?? []
    // A quarter turn clockwise: the line runs down, near the right edge of a page 842 wide and 595 high.
    expect(left).toBeGreaterThan(730)
    expect(right - left).toBeLessThan(20)
    expect(top).toBeCloseTo(72, 0)
    expect(bottom - top).toBeGreaterThan(50)
  }).pipe(Effect.provide(shelf()))
)

it.live("a Word document comes by its headings, rows of tables on one line", () =>
  Effect.gen(function* () {
    const docs = yield* load("handbook.docx", yield* when(made.docx))
    expect(docs.map(({ heading }) => heading)).toEqual(["Travel handbook", "Travel handbook › Expenses"])
    expect(docs[0]?.text).toContain("Everything about journeys.")
    expect(docs[1]?.text).toContain("Receipts are due within thirty days.")
    expect(docs[1]?.text).toContain("Lisbon | 120 euros")
  }).pipe(Effect.provide(shelf()))
)

it.live("a workbook's values stand beside the names of their columns", () =>
  Effect.gen(function* () {
    const docs = yield* load("stock.xlsx", yield* when(made.xlsx))
    expect(docs.map(({ heading, page, text }) => ({ heading, page, text }))).toEqual([
      {
        heading: "Stock › item, price, since",
        page: null,
        text: "item: hammer\nprice: 12.5\nsince: 2024-03-01\n\nitem: nails\nprice: 3"
      },
      { heading: "Staff › name", page: null, text: "name: Ada" }
    ])
  }).pipe(Effect.provide(shelf()))
)

it.live("a CSV's quoted values keep their commas and line breaks; semicolons separate too", () =>
  Effect.gen(function* () {
    const [doc] = yield* load(
      "a.csv",
      '\ufeffname,note\r\n"Doe, Jane","two\nlines, ""quoted"""\r\n,\r\nBob,-\r\n'
    )
    expect(doc?.heading).toBe("name, note")
    expect(doc?.text).toBe('name: Doe, Jane\nnote: two\nlines, "quoted"\n\nname: Bob\nnote: -')
    const [other] = yield* load("b.csv", "item;price\nhammer;12,50\n")
    expect(other?.text).toBe("item: hammer\nprice: 12,50")
    const many = yield* load("c.csv", `n,text\n${"1,some words of a row\n".repeat(500)}`)
    expect(many.length).toBeGreaterThan(10)
    expect(many.every(({ heading, text }) => heading === "n, text" && text.length <= 800)).toBe(true)
  }).pipe(Effect.provide(shelf()))
)

it.live("Markdown, web pages, plain text and JSON are read", () =>
  Effect.gen(function* () {
    const markdown = yield* load("a.md", "# A\n\n## B\n\nbody\n\n```\n# no title\n```\n\n## C\n\nmore")
    expect(markdown.map(({ heading, text }) => [heading, text])).toEqual([
      ["A › B", "# A\n\n## B\n\nbody\n\n```\n# no title\n```"],
      ["A › C", "## C\n\nmore"]
    ])
    const page = yield* load("a.html", "<h1>Hours</h1><script>x()</script><p>Open at nine</p>")
    expect(page[0]).toMatchObject({ heading: "Hours", text: "# Hours\n\nOpen at nine" })
    expect((yield* load("a.txt", "one\r\ntwo\n"))[0]?.text).toBe("one\ntwo")
    expect((yield* load("a.json", '{"a":1}'))[0]?.text).toBe('{"a":1}')
  }).pipe(Effect.provide(shelf()))
)

it.live("large text is read in a thread, to the same result", () =>
  Effect.gen(function* () {
    const row = "1,some words\n"
    const docs = yield* load("large.csv", `n,text\n${row.repeat(40_000)}`)
    expect(docs.map(({ text }) => text.split("\n\n").length).reduce((sum, n) => sum + n, 0)).toBe(40_000)
    expect(docs[0]?.text.startsWith("n: 1\ntext: some words\n\n")).toBe(true)
  }).pipe(Effect.provide(shelf()))
)

it.live("says what is wrong with a file and what to do about it", () =>
  Effect.gen(function* () {
    const secret = yield* when(() => made.pdf([["secret"]], { password: "open sesame" }))
    expect(yield* refusal("locked.pdf", secret)).toBe(
      '"locked.pdf" is protected by a password. Remove the password and upload the file again.'
    )
    expect(yield* refusal("zero.pdf", "")).toBe('"zero.pdf" is empty.')
    expect(yield* refusal("blank.txt", " \n\n ")).toBe('"blank.txt" has no text in it.')
    // "价格" in GB18030.
    const gb = Buffer.from([0xbc, 0xdb, 0xb8, 0xf1, 0x2c, 0x61, 0x0a, 0x31, 0x2c, 0x32])
    expect(yield* refusal("gb.csv", gb)).toBe(
      '"gb.csv" is not text in UTF-8. Save it as UTF-8 and upload it again.'
    )
    expect(yield* refusal("tool.exe", "MZ")).toContain("of a kind that cannot be read")
    const bomb = yield* when(() => made.bomb(60))
    expect(yield* refusal("bomb.docx", bomb)).toContain('"bomb.docx" unpacks to far more than its size')
  }).pipe(Effect.provide(shelf()))
)

it.live("too many pages, too many characters and too much time end in words", () =>
  Effect.gen(function* () {
    const pages = yield* when(() => made.pdf(Array.from({ length: 2_000 }, (_, at) => [`page ${at + 1}`])))
    expect(yield* refusal("long.pdf", pages)).toBe(
      '"long.pdf" has 2,000 pages; at most 500 are read. Split it into smaller files.'
    )
    expect(yield* refusal("long.txt", "word ".repeat(900_000))).toContain("more than 4,000,000 characters")
  }).pipe(Effect.provide(shelf()))
)

it.live("a file that takes too long gives its thread back, and the next one is read", () =>
  Effect.gen(function* () {
    const pages = yield* when(() => made.pdf(Array.from({ length: 300 }, () => ["words of a page"])))
    const reasons = yield* Effect.forEach(["a.pdf", "b.pdf", "c.pdf"], (name) => refusal(name, pages), {
      concurrency: "unbounded"
    })
    for (const reason of reasons) expect(reason).toContain("takes longer than 20ms to read")
    expect((yield* load("small.txt", "small"))[0]?.text).toBe("small")
  }).pipe(Effect.provide(shelf({ documentTimeout: Duration.millis(20) })))
)

it.live("a file that is gone says so, by record and by bytes; what was read before stays known", () =>
  Effect.gen(function* () {
    const documents = yield* Documents
    const fs = yield* FileSystem.FileSystem
    const settings = yield* Settings
    expect((yield* Effect.flip(documents.load("0".repeat(32)))).reason).toContain("no such file any more")
    const id = yield* store("gone.txt", "gone")
    yield* fs.remove(storedPath(settings, id))
    expect((yield* Effect.flip(documents.load(id))).reason).toContain("is not there any more")
    const known = yield* store("known.txt", "known")
    yield* documents.load(known)
    yield* fs.remove(storedPath(settings, known))
    expect((yield* documents.load(known))[0]?.text).toBe("known")
  }).pipe(Effect.provide(shelf()))
)

import * as FileSystem from "@effect/platform/FileSystem"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Settings } from "../../src/config.ts"
import { storedPath } from "../../src/knowledge/stored.ts"
import { Uploads } from "../../src/knowledge/Uploads.ts"
import { Library } from "../../src/model/Library.ts"
import { flowA, flowB, knowledge, owner, upload } from "./fixtures.ts"
import * as made from "./made.ts"

const manual = `# Colloquy

A chat session server.

## Stopping

A stop interrupts the running answer at once: the request to the model is aborted, and what was streamed so far
is kept as a broken answer.

## Configuration

### Redis

Redis is optional on one node and required for more. Set \`REDIS_URL\` to use it.

### Database

SQLite is the default. Set \`DATABASE_URL\` for MySQL.
`

const handbook = `# 员工手册

## 请假制度

员工每年享有十五天带薪年假，请假需要提前三天向主管申请。

## 报销流程

差旅费用在出差结束后三十天内提交发票报销，超过期限不予受理。

## 办公时间

工作日早上九点到下午六点，午休一小时。
`

const search = (text: string, where: { readonly flowId?: string; readonly userId?: number } = {}) =>
  Effect.flatMap(Library, (library) =>
    library.search({ text, flowId: where.flowId ?? flowA, userId: where.userId ?? owner, limit: 5 })
  )

const docs = { "README.md": "# Colloquy\n\nStart the server with npm start.", "docs/manual.md": manual }

it.effect("finds the passage that answers, best first, in the product's own documents", () =>
  Effect.gen(function* () {
    const [best] = yield* search("How do I stop a running answer?")
    expect(best).toMatchObject({ fileName: "docs/manual.md", page: null })
    expect(best?.text).toContain("A stop interrupts")
    expect((yield* search("is redis required?"))[0]?.text).toContain("Redis is optional")
    expect((yield* search("which databases are supported"))[0]?.text).toContain("SQLite is the default")
    expect((yield* search("DATABASE_URL"))[0]?.text).toContain("DATABASE_URL")
    expect((yield* search("how to start the server"))[0]?.fileName).toBe("README.md")
  }).pipe(Effect.provide(knowledge(docs)))
)

it.effect("finds nothing for an unrelated question, and none for words that say nothing", () =>
  Effect.gen(function* () {
    for (const question of [
      "What is the capital of France?",
      "How do I bake a chocolate cake at home?",
      "what is the weather in Paris today",
      "红烧肉怎么做？",
      "法国的首都在哪里",
      "what is it?",
      "这是什么",
      "",
      "???"
    ]) {
      expect(yield* search(question), question).toEqual([])
    }
  }).pipe(Effect.provide(knowledge({ ...docs, "docs/手册.md": handbook })))
)

it.effect("finds Chinese passages by Chinese questions", () =>
  Effect.gen(function* () {
    const file = yield* upload("员工手册.md", handbook)
    const [best] = yield* search("年假有多少天？")
    expect(best).toMatchObject({ fileId: file.id, fileName: "员工手册.md" })
    expect(best?.text).toContain("十五天带薪年假")
    expect((yield* search("怎么报销差旅费用"))[0]?.text).toContain("发票报销")
    expect((yield* search("请假要提前几天申请"))[0]?.text).toContain("提前三天")
    expect(yield* search("怎么配置数据库连接池")).toEqual([])
  }).pipe(Effect.provide(knowledge(docs)))
)

it.effect(
  "sees an upload and a removal at the next search, and leaves the product's documents aside for it",
  () =>
    Effect.gen(function* () {
      expect(yield* search("giraffe")).toEqual([])
      const file = yield* upload("animals.txt", "The giraffe is the tallest animal.")
      expect((yield* search("giraffes"))[0]?.text).toBe("The giraffe is the tallest animal.")
      expect(yield* search("is redis required?")).toEqual([])
      expect(yield* Effect.flatMap(Uploads, (uploads) => uploads.remove(file.id))).toBe(true)
      expect(yield* search("giraffe")).toEqual([])
      expect(yield* search("is redis required?")).not.toEqual([])
    }).pipe(Effect.provide(knowledge(docs)))
)

it.effect("shows a user the owner's files and the user's own, and nobody else's, of this app only", () =>
  Effect.gen(function* () {
    yield* upload("owner.txt", "zebra of the owner", { userId: owner })
    yield* upload("anna.txt", "zebra of Anna", { userId: 2 })
    yield* upload("bert.txt", "zebra of Bert", { userId: 3 })
    yield* upload("other.txt", "zebra of another app", { flowId: flowB, userId: 2 })
    const seen = (userId: number, flowId = flowA) =>
      search("zebra", { userId, flowId }).pipe(
        Effect.map((passages) => passages.map(({ fileName }) => fileName).sort())
      )
    expect(yield* seen(owner)).toEqual(["owner.txt"])
    expect(yield* seen(2)).toEqual(["anna.txt", "owner.txt"])
    expect(yield* seen(3)).toEqual(["bert.txt", "owner.txt"])
    expect(yield* seen(4)).toEqual(["owner.txt"])
    expect(yield* seen(2, flowB)).toEqual(["other.txt"])
    expect(yield* seen(3, flowB)).toEqual([])
    expect(yield* seen(3, "c".repeat(32))).toEqual([])
  }).pipe(Effect.provide(knowledge(docs)))
)

it.effect("goes on for the others when the first who asked stops waiting for the index", () =>
  Effect.gen(function* () {
    yield* upload("long.txt", "The narwhal swims in the north.\n\n".repeat(20_000))
    const first = yield* Effect.fork(search("narwhal"))
    const second = yield* Effect.fork(search("narwhal"))
    yield* Effect.yieldNow()
    yield* Fiber.interrupt(first)
    expect((yield* Fiber.join(second)).length).toBe(5)
  }).pipe(Effect.provide(knowledge(docs)))
)

it.effect("leaves a file out that is gone from the disk, and finds the others", () =>
  Effect.gen(function* () {
    const gone = yield* upload("gone.txt", "walrus number one")
    yield* upload("here.txt", "walrus number two")
    const fs = yield* FileSystem.FileSystem
    yield* fs.remove(storedPath(yield* Settings, gone.id))
    expect((yield* search("walrus")).map(({ fileName }) => fileName)).toEqual(["here.txt"])
  }).pipe(Effect.provide(knowledge(docs)))
)

it.effect("reads web pages without their markup, and tables with their first row", () =>
  Effect.gen(function* () {
    yield* upload(
      "page.html",
      "<html><head><title>x</title><script>var walrus = 1</script></head><body><h2>Opening &amp; closing</h2>" +
        "<p>The <b>museum</b> opens\nat nine.</p><!-- pelican --></body></html>"
    )
    yield* upload("prices.csv", "item,price\nhammer,12\nnails,3\n")
    expect((yield* search("when does the museum open"))[0]?.text).toBe("The museum opens at nine.")
    expect((yield* search("closing"))[0]?.text).toBe("The museum opens at nine.")
    expect(yield* search("pelican walrus")).toEqual([])
    expect((yield* search("price of nails"))[0]?.text).toContain("item: nails\nprice: 3")
  }).pipe(Effect.provide(knowledge(docs)))
)

it.live("finds in PDFs with the page, in Word documents and in workbooks", () =>
  Effect.gen(function* () {
    const pages = [["Foxes live in dens."], ["The narwhal has one tusk."]]
    yield* upload("animals.pdf", yield* Effect.promise(() => made.pdf(pages)))
    yield* upload("handbook.docx", yield* Effect.promise(made.docx))
    yield* upload("stock.xlsx", yield* Effect.promise(made.xlsx))
    expect((yield* search("narwhal tusk"))[0]).toMatchObject({
      fileName: "animals.pdf",
      page: 2,
      text: "The narwhal has one tusk."
    })
    expect((yield* search("when are receipts due"))[0]).toMatchObject({
      fileName: "handbook.docx",
      page: null
    })
    expect((yield* search("price of a hammer"))[0]?.text).toContain("item: hammer\nprice: 12.5")
  }).pipe(Effect.provide(knowledge(docs)))
)

it.effect("has nothing to find where there are no documents at all", () =>
  Effect.gen(function* () {
    expect(yield* search("anything")).toEqual([])
  }).pipe(Effect.provide(knowledge()))
)

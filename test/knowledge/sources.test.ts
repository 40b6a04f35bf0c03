import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { judgeSource, readableFiles } from "../../src/knowledge/sources.ts"
import type { Passage } from "../../src/protocol/RunEvent.ts"
import { Files, type NewFile } from "../../src/storage/Files.ts"
import { Flows } from "../../src/storage/Flows.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { Users } from "../../src/storage/Users.ts"

const id = (digit: string): string => digit.repeat(32)
const onlineApp = id("a")
const offlineApp = id("b")

const passage = (fileId: string, more: Partial<Passage> = {}): Passage => ({
  text: "text",
  fileId,
  fileName: "name",
  page: null,
  score: 1,
  ...more
})

/** An admin, an apps' owner and a user; an online and an offline app. */
const people = Effect.gen(function* () {
  const users = yield* Users
  const flows = yield* Flows
  const files = yield* Files
  const admin = (yield* users.register("root", "x")).user_id
  const owner = (yield* users.register("ada", "x")).user_id
  const user = (yield* users.register("bob", "x")).user_id
  for (const [app, status] of [
    [onlineApp, 2],
    [offlineApp, 1]
  ] as const) {
    yield* flows.create({
      id: app,
      name: "app",
      description: "",
      flow_type: 5,
      status,
      user_id: owner,
      data: {}
    })
  }
  const add = (digit: string, user_id: number, more: Partial<NewFile> = {}) =>
    files.add({
      id: id(digit),
      flow_id: onlineApp,
      user_id,
      name: digit,
      media_type: "text/plain",
      bytes: 1,
      ...more
    })
  return { admin, owner, user, add }
})

it.effect("a file is read by who gave it, by the app's users where its owner gave it, and by admins", () =>
  Effect.gen(function* () {
    const { admin, owner, user, add } = yield* people
    yield* add("1", owner)
    yield* add("2", user)
    yield* add("3", owner, { flow_id: offlineApp })
    yield* add("4", owner, { chat_id: "chat" })
    yield* add("5", owner, { purpose: "template" })
    yield* add("6", owner, { purpose: "made" })
    yield* add("7", owner, { flow_id: id("c") })
    const all = ["1", "2", "3", "4", "5", "6", "7", "9"].map(id)
    const read = (userId: number) =>
      Effect.map(readableFiles([...all, "", "docs/a.md"], userId), (files) =>
        [...files.values()].map(({ name }) => name).join("")
      )
    expect(yield* read(owner)).toBe("134567")
    expect(yield* read(user)).toBe("12")
    expect(yield* read(admin)).toBe("1234567")
    expect(yield* read(12_345)).toBe("1")
    yield* Effect.flatMap(Flows, (flows) => flows.remove(onlineApp))
    expect(yield* read(user)).toBe("2")
  }).pipe(Effect.provide(Memory))
)

it.effect("an answer's source is 0 without passages, 1 with files one may read, 2 with any one may not", () =>
  Effect.gen(function* () {
    const { owner, user, add } = yield* people
    yield* add("1", owner)
    yield* add("2", user)
    const judged = (userId: number, ...ids: ReadonlyArray<string>) =>
      Effect.map(
        judgeSource(
          ids.map((one) => passage(one)),
          userId
        ),
        ({ source, extra }) => {
          expect(extra).toEqual({})
          return source
        }
      )
    expect(yield* judged(user)).toBe(0)
    expect(yield* judged(user, id("1"), id("2"), id("1"))).toBe(1)
    expect(yield* judged(owner, id("1"), id("2"))).toBe(2)
    expect(yield* judged(owner, id("9"))).toBe(2)
    expect(yield* judged(user, "README.md")).toBe(1)
  }).pipe(Effect.provide(Memory))
)

it.effect(
  "an answer from the web alone is 3 with each page once, in order; with a file beside it is 1 or 2",
  () =>
    Effect.gen(function* () {
      const { owner, user, add } = yield* people
      yield* add("1", owner, { chat_id: "chat" })
      const web = (fileName: string, url: string) => passage("", { fileName, url })
      const pages = [
        web("B", "https://b.example"),
        web("A", "https://a.example"),
        web("B", "https://b.example")
      ]
      expect(yield* judgeSource([...pages, web("", "https://c.example")], user)).toEqual({
        source: 3,
        extra: {
          doc: [
            { title: "B", url: "https://b.example" },
            { title: "A", url: "https://a.example" },
            { title: "https://c.example", url: "https://c.example" }
          ]
        }
      })
      expect((yield* judgeSource([...pages, passage(id("1"))], owner)).source).toBe(1)
      expect((yield* judgeSource([...pages, passage(id("1"))], user)).source).toBe(2)
    }).pipe(Effect.provide(Memory))
)

it.effect("a stored pair is 4 with its question in words, whatever else was found", () =>
  Effect.gen(function* () {
    const judged = yield* judgeSource([passage(id("9"))], 1, { question: "Who?", url: "https://a.example" })
    expect(judged).toEqual({
      source: 4,
      extra: { qa: "Answered from stored questions: Who?", url: "https://a.example" }
    })
    expect((yield* judgeSource([], 1, { question: "谁？" })).extra).toEqual({ qa: "答案来自问答库：谁？" })
  }).pipe(Effect.provide(Memory))
)

import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Files, type NewFile } from "../../../src/storage/Files.ts"
import { maxRecalls, Recalls } from "../../../src/storage/Recalls.ts"
import { Reports } from "../../../src/storage/Reports.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import {
  answer,
  done,
  freshId,
  freshUser,
  type It,
  itIs,
  question,
  race,
  someTime,
  times
} from "./vocabulary.ts"

const file = (more: Partial<NewFile> = {}): NewFile => ({
  id: freshId(),
  flow_id: freshId(),
  user_id: freshUser(),
  name: "报告.pdf",
  media_type: "application/pdf",
  bytes: 6_000_000_000,
  ...more
})

const names = (rows: ReadonlyArray<{ readonly name: string }>) => rows.map((row) => row.name)

export const filesSuite = (it: It) => {
  it.effect("a file is the app's and a document unless it is said to be something else", () =>
    Effect.gen(function* () {
      const files = yield* Files
      yield* itIs(someTime)
      const plain = file()
      const kept = yield* files.add(plain)
      expect(kept).toEqual({ ...plain, chat_id: "", purpose: "document", create_time: new Date(someTime) })
      expect(yield* files.get(plain.id)).toEqual(Option.some(kept))
      const made = yield* files.add(file({ chat_id: "a-chat", purpose: "made" }))
      expect(Option.getOrThrow(yield* files.get(made.id))).toMatchObject({
        chat_id: "a-chat",
        purpose: "made"
      })
    })
  )

  it.effect("several files are found by their ids, and ids that nobody has find nothing", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const [a, b] = [yield* files.add(file()), yield* files.add(file())]
      const found = yield* files.getAll([b.id, freshId(), a.id, a.id])
      expect(found.map((row) => row.id).toSorted()).toEqual([a.id, b.id].toSorted())
      expect(yield* files.getAll([])).toEqual([])
    })
  )

  it.effect("an app's documents are those for the whole app, with those of one chat where it is named", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const flow_id = freshId()
      const user_id = freshUser()
      for (const more of [
        { name: "for all" },
        { name: "of the chat", chat_id: "chat-1" },
        { name: "of another chat", chat_id: "chat-2" },
        { name: "a report", purpose: "made" },
        { name: "a template", purpose: "template" }
      ] as const) {
        yield* files.add(file({ flow_id, user_id, ...more }))
      }
      const found = (chatId?: string) =>
        Effect.map(files.ofFlow(flow_id, [user_id], chatId), (rows) => names(rows).toSorted())
      expect(yield* found()).toEqual(["for all"])
      expect(yield* found("chat-1")).toEqual(["for all", "of the chat"])
      expect(yield* found("CHAT-1")).toEqual(["for all"])
    })
  )

  it.effect("a user's files are listed newest first, page by page, without the templates of apps", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const userId = freshUser()
      const flow_id = freshId()
      const all = [
        { name: "one", flow_id, chat_id: "c" },
        { name: "two", flow_id },
        { name: "three", purpose: "made" },
        { name: "hidden", purpose: "template" }
      ] as const
      for (const [index, more] of all.entries()) {
        yield* itIs(someTime + index)
        yield* files.add(file({ user_id: userId, ...more }))
      }
      yield* files.add(file({ name: "another's" }))
      const listed = (more: object) =>
        Effect.map(
          files.list({ userId, flowId: "", chatId: "", page: 1, limit: 10, ...more }),
          ({ rows, total }) => ({ names: names(rows), total })
        )
      expect(yield* listed({})).toEqual({ names: ["three", "two", "one"], total: 3 })
      expect(yield* listed({ page: 2, limit: 2 })).toEqual({ names: ["one"], total: 3 })
      expect(yield* listed({ flowId: flow_id })).toEqual({ names: ["two", "one"], total: 2 })
      expect(yield* listed({ chatId: "c" })).toEqual({ names: ["one"], total: 1 })
      expect(yield* listed({ chatId: "' OR ''='" })).toEqual({ names: [], total: 0 })
    })
  )

  it.effect("what a user's files take is counted over all of them, beyond 4 GB", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const user_id = freshUser()
      expect(yield* files.usage(user_id)).toEqual({ files: 0, bytes: 0 })
      yield* files.add(file({ user_id }))
      const second = yield* files.add(file({ user_id, bytes: 1, purpose: "template" }))
      yield* files.add(file())
      expect(yield* files.usage(user_id)).toEqual({ files: 2, bytes: 6_000_000_001 })
      yield* files.remove(second.id)
      expect(yield* files.usage(user_id)).toEqual({ files: 1, bytes: 6_000_000_000 })
    })
  )

  it.effect("a chat's files are those of its owner, whatever they are for", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const user_id = freshUser()
      const chat_id = freshId()
      yield* itIs(someTime)
      yield* files.add(file({ user_id, chat_id, name: "given" }))
      yield* itIs(someTime + 1)
      yield* files.add(file({ user_id, chat_id, name: "made", purpose: "made" }))
      yield* files.add(file({ user_id, name: "of no chat" }))
      yield* files.add(file({ chat_id, name: "a stranger's" }))
      expect(names(yield* files.ofChat(chat_id, user_id))).toEqual(["given", "made"])
      expect(yield* files.ofChat("", user_id)).toEqual([])
    })
  )

  it.effect("the passages of an answer come back as they went in, with their place and address", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const recalls = yield* Recalls
      const { run } = yield* runs.accept(question())
      const boxes = '[{"page":3,"box":[1,2,3.5,4]}]'
      const passages = [
        { text: "甲", file_id: "f-1", file_name: "报告.pdf", page: 3, score: 0.25, boxes },
        { text: "b", file_id: "", file_name: "a page", page: null, score: 1, url: "https://example.org/?a=b" }
      ]
      const [id = 0, other = 0] = yield* runs.finish(run.id, done(answer("a", { passages }), answer("b")))
      expect(yield* recalls.ofMessage(id)).toEqual(
        passages.map(({ text, ...rest }) => ({
          boxes: null,
          url: null,
          ...rest,
          chunk: text,
          id: expect.any(Number),
          message_id: id
        }))
      )
      expect(yield* recalls.ofMessage(other)).toEqual([])
      expect(yield* recalls.ofMessage(Number.MAX_SAFE_INTEGER)).toEqual([])
      yield* runs.rollback(run.id)
      expect(yield* recalls.ofMessage(id)).toEqual([])
    })
  )

  it.effect("of more passages than anybody reads the first ones are read", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      const passages = times(maxRecalls + 20, (i) => ({
        text: `${i}`,
        file_id: "f",
        file_name: "f",
        page: null,
        score: 0
      }))
      const [id = 0] = yield* runs.finish(run.id, done(answer("a", { passages })))
      const read = yield* (yield* Recalls).ofMessage(id)
      expect(read.map((row) => row.chunk)).toEqual(times(maxRecalls, (i) => `${i}`))
    })
  )

  it.effect("the newest template of an app is the one in use, and removing it removes the older ones", () =>
    Effect.gen(function* () {
      const reports = yield* Reports
      const flow_id = freshId()
      const template = () => ({ flow_id, file_id: freshId(), file_name: "模板.docx", user_id: 7 })
      expect(yield* reports.latest(flow_id)).toEqual(Option.none())
      expect(yield* reports.remove(flow_id)).toEqual([])
      yield* itIs(someTime)
      const [a, b] = [template(), template()]
      const first = yield* reports.add(a)
      expect(first).toEqual({ ...a, version: 1, create_time: new Date(someTime) })
      const second = yield* reports.add(b)
      expect(second.version).toBe(2)
      yield* reports.add({ ...template(), flow_id: freshId() })
      expect(yield* reports.latest(flow_id)).toEqual(Option.some(second))
      expect(yield* reports.remove(flow_id)).toEqual([second, first])
      expect(yield* reports.latest(flow_id)).toEqual(Option.none())
    })
  )

  it.effect("templates that are added at once all get a version of their own", () =>
    Effect.gen(function* () {
      const reports = yield* Reports
      const flow_id = freshId()
      const added = yield* race(
        times(8, () => reports.add({ flow_id, file_id: freshId(), file_name: "t.docx", user_id: 7 }))
      )
      expect(added.map((row) => row.version).toSorted()).toEqual(times(8, (i) => i + 1))
    })
  )
}

import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import { Sessions } from "../../../src/storage/Sessions.ts"
import { answer, done, freshId, type It, question, round, times } from "./vocabulary.ts"

const remembered = (chatId: string, rounds: number) =>
  Effect.gen(function* () {
    const rows = yield* (yield* Messages).memory(chatId, rounds)
    return rows.map(({ message }) => message)
  })

export const messagesSuite = (it: It) => {
  it.effect("history comes newest first, page after page, each message once", () =>
    Effect.gen(function* () {
      const messages = yield* Messages
      const chatId = freshId()
      for (const text of times(12, (i) => `q${i}`)) yield* round(chatId, text)
      yield* round(freshId(), "another chat")
      const pages: Array<ReadonlyArray<string>> = []
      let before: number | null = null
      for (;;) {
        const page: ReadonlyArray<{ id: number; message: string }> = yield* messages.page({
          chatId,
          before,
          limit: 10
        })
        const last = page.at(-1)
        if (last === undefined) break
        pages.push(page.map(({ message }) => message))
        before = last.id
        // What is written meanwhile belongs to the newest page, and moves no other.
        yield* round(chatId, "meanwhile")
      }
      expect(pages.map((page) => page.length)).toEqual([10, 10, 4])
      expect(pages.flat().toReversed()).toEqual(times(12, (i) => [`q${i}`, `q${i}!`]).flat())
    })
  )

  it.effect("a page of an unknown chat, and a page of none, are empty", () =>
    Effect.gen(function* () {
      const messages = yield* Messages
      const run = yield* round(freshId(), "why?")
      expect(yield* messages.page({ chatId: freshId(), before: null, limit: 10 })).toEqual([])
      expect(yield* messages.page({ chatId: run.chat_id, before: null, limit: 0 })).toEqual([])
      expect(yield* messages.page({ chatId: run.chat_id, before: run.question_id, limit: 10 })).toEqual([])
    })
  )

  it.effect("a message is found by its id", () =>
    Effect.gen(function* () {
      const messages = yield* Messages
      const run = yield* round(freshId(), "why?")
      const found = yield* messages.get(run.question_id)
      expect(Option.getOrThrow(found)).toMatchObject({ id: run.question_id, message: "why?" })
      expect(yield* messages.get(Number.MAX_SAFE_INTEGER)).toEqual(Option.none())
    })
  )

  it.effect("the model is reminded of the latest complete rounds, oldest first", () =>
    Effect.gen(function* () {
      const chatId = freshId()
      for (const text of ["one", "two", "three"]) yield* round(chatId, text)
      expect(yield* remembered(chatId, 2)).toEqual(["two", "two!", "three", "three!"])
      expect(yield* remembered(chatId, 10)).toEqual(["one", "one!", "two", "two!", "three", "three!"])
      expect(yield* remembered(freshId(), 10)).toEqual([])
    })
  )

  it.effect("rounds that were stopped, failed, lost, or are going on are not remembered", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* round(chatId, "complete")
      for (const status of ["stopped", "failed", "lost"] as const) yield* round(chatId, status, { status })
      const going = yield* runs.accept(question({ session: { chatId } }))
      yield* runs.dequeue(going.run.chat_id, going.run.owner)
      yield* runs.record(going.run.id, [answer("a step", { category: "tool" })])
      expect(yield* remembered(chatId, 1)).toEqual(["complete", "complete!"])
    })
  )

  it.effect("a complete round is remembered with its tool calls, without its broken answers", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const { run } = yield* runs.accept(question({ session: { chatId } }))
      yield* runs.record(run.id, [
        answer("a tool", { category: "tool" }),
        answer("broken", { remark: "break_answer" })
      ])
      yield* runs.finish(run.id, done(answer("42")))
      expect(yield* remembered(chatId, 10)).toEqual(["why?", "a tool", "42"])
    })
  )

  it.effect("a question that waited is remembered after the answer it waited for", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const ask = (message: string) => runs.accept(question({ session: { chatId }, question: { message } }))
      const first = yield* ask("first")
      const second = yield* ask("second")
      yield* runs.finish(first.run.id, done(answer("first!")))
      yield* runs.finish(second.run.id, done(answer("second!")))
      expect(yield* remembered(chatId, 10)).toEqual(["first", "first!", "second", "second!"])
    })
  )

  it.effect("what was forgotten is not remembered, and stays in history", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const messages = yield* Messages
      const chatId = freshId()
      yield* round(chatId, "before")
      yield* sessions.forget(chatId)
      expect(yield* remembered(chatId, 10)).toEqual([])
      yield* round(chatId, "after")
      expect(yield* remembered(chatId, 10)).toEqual(["after", "after!"])
      yield* sessions.forget(freshId())
      expect(yield* messages.page({ chatId, before: null, limit: 10 })).toHaveLength(4)
    })
  )

  it.effect("a round that was going on when the rest was forgotten is forgotten with it", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      yield* Effect.flatMap(Sessions, (sessions) => sessions.forget(run.chat_id))
      yield* runs.finish(run.id, done(answer("42")))
      expect(yield* remembered(run.chat_id, 10)).toEqual([])
    })
  )
}

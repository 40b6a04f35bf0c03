import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Runs } from "../../../src/storage/Runs.ts"
import type { MessageSession } from "../../../src/storage/rows.ts"
import { type ListedAt, type SessionQuery, Sessions } from "../../../src/storage/Sessions.ts"
import {
  answer,
  done,
  freshId,
  freshUser,
  type It,
  itIs,
  question,
  round,
  someTime,
  times
} from "./vocabulary.ts"

const listed = (query: Partial<SessionQuery> & { readonly userId: number }) =>
  Effect.gen(function* () {
    const rows = yield* (yield* Sessions).list({
      flowType: null,
      flowId: null,
      keyword: "",
      from: { after: null },
      limit: 100,
      ...query
    })
    return rows.map((row) => row.chat_id)
  })

/** The whole list, each page after the last row of the one before. */
const pageAfterPage = (query: Partial<SessionQuery> & { readonly userId: number }, limit: number) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const pages: Array<ReadonlyArray<string>> = []
    let after: ListedAt | null = null
    for (;;) {
      const rows: ReadonlyArray<MessageSession> = yield* sessions.list({
        flowType: null,
        flowId: null,
        keyword: "",
        limit,
        ...query,
        from: { after }
      })
      const last = rows.at(-1)
      if (last === undefined) return pages
      pages.push(rows.map((row) => row.chat_id))
      after = { updateTime: last.update_time, chatId: last.chat_id }
    }
  })

export const sessionsSuite = (it: It) => {
  it.effect("a user's sessions are listed by latest activity", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const userId = freshUser()
      const asked = times(3, () => question({ session: { userId } }))
      const [a, b, c] = asked.map(({ session }) => session.chatId)
      for (const [i, one] of asked.entries()) {
        yield* itIs(someTime + i * 1000)
        yield* runs.accept(one)
      }
      expect(yield* listed({ userId })).toEqual([c, b, a])
      yield* itIs(someTime + 10_000)
      yield* runs.finish(asked[0]?.runId ?? "", done())
      expect(yield* listed({ userId })).toEqual([a, c, b])
      yield* itIs(someTime + 20_000)
      yield* runs.accept(question({ session: { userId, chatId: b ?? "" } }))
      expect(yield* listed({ userId })).toEqual([b, a, c])
    })
  )

  it.effect("a list is given page by page", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const userId = freshUser()
      const asked = times(5, () => question({ session: { userId } }))
      for (const [i, one] of asked.entries()) {
        yield* itIs(someTime + i)
        yield* runs.accept(one)
      }
      const [a, b, c, d, e] = asked.map(({ session }) => session.chatId)
      expect(yield* listed({ userId, from: { skip: 0 }, limit: 2 })).toEqual([e, d])
      expect(yield* listed({ userId, from: { skip: 2 }, limit: 2 })).toEqual([c, b])
      expect(yield* listed({ userId, from: { skip: 4 }, limit: 2 })).toEqual([a])
      expect(yield* listed({ userId, from: { skip: 6 }, limit: 2 })).toEqual([])
      expect(yield* pageAfterPage({ userId }, 2)).toEqual([[e, d], [c, b], [a]])
    })
  )

  it.effect("sessions of the same moment are all listed, in one order, whichever way they are paged", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const userId = freshUser()
      const [app, other] = ["1".repeat(32), "2".repeat(32)]
      const open = (flowId: string, flowType: 1 | 5) =>
        Effect.map(runs.accept(question({ session: { userId, flowId, flowType } })), ({ run }) => run.chat_id)
      yield* itIs(someTime)
      const mine = yield* Effect.forEach(
        times(7, () => app),
        (id) => open(id, 1)
      )
      const others = yield* Effect.forEach(
        times(4, () => other),
        (id) => open(id, 5)
      )
      const newestFirst = (chats: ReadonlyArray<string>) => chats.toSorted().toReversed()
      const all = newestFirst([...mine, ...others])
      expect(yield* listed({ userId })).toEqual(all)
      expect((yield* pageAfterPage({ userId }, 3)).flat()).toEqual(all)
      expect(yield* listed({ userId, from: { skip: 4 } })).toEqual(all.slice(4))
      for (const narrowed of [
        { flowId: app },
        { flowType: 1 as const },
        { flowId: app, flowType: 1 as const }
      ]) {
        expect((yield* pageAfterPage({ userId, ...narrowed }, 3)).flat()).toEqual(newestFirst(mine))
        expect(yield* listed({ userId, ...narrowed, from: { skip: 4 } })).toEqual(newestFirst(mine).slice(4))
      }
    })
  )

  it.effect(
    "a chat that is written in between two pages moves to the top, and none is missed or told twice",
    () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const sessions = yield* Sessions
        const userId = freshUser()
        const asked = times(4, () => question({ session: { userId } }))
        for (const [i, one] of asked.entries()) {
          yield* itIs(someTime + i)
          yield* runs.accept(one)
        }
        const [a, b, c, d] = asked.map(({ session }) => session.chatId)
        const first = yield* sessions.list({
          userId,
          flowType: null,
          flowId: null,
          keyword: "",
          from: { after: null },
          limit: 2
        })
        expect(first.map((row) => row.chat_id)).toEqual([d, c])
        const last = first.at(-1)
        if (last === undefined) return expect.unreachable()
        yield* itIs(someTime + 1000)
        yield* runs.accept(question({ session: { userId, chatId: c ?? "" } }))
        const after = { updateTime: last.update_time, chatId: last.chat_id }
        expect(yield* listed({ userId, from: { after } })).toEqual([b, a])
        expect(yield* listed({ userId })).toEqual([c, d, b, a])
      })
  )

  it.effect("a list is narrowed by app, by kind of app, and by part of a name to the letter", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const userId = freshUser()
      const open = (flowType: 1 | 5, flowId: string, flowName: string) =>
        Effect.map(
          runs.accept(question({ session: { userId, flowType, flowId, flowName } })),
          ({ run }) => run.chat_id
        )
      const one = "1".repeat(32)
      const two = "2".repeat(32)
      const skill = yield* open(1, one, "50% of Tax_Help")
      const assistant = yield* open(5, two, "Tax help 报税")
      const query = (more: Partial<SessionQuery>) =>
        Effect.map(listed({ userId, ...more }), (chats) => chats.toSorted())
      expect(yield* query({ flowType: 1 })).toEqual([skill])
      expect(yield* query({ flowId: two })).toEqual([assistant])
      expect(yield* query({ flowId: two, flowType: 1 })).toEqual([])
      expect(yield* query({ keyword: "tax" })).toEqual([skill, assistant].toSorted())
      expect(yield* query({ keyword: "报税" })).toEqual([assistant])
      expect(yield* query({ keyword: "x_h" })).toEqual([skill])
      expect(yield* query({ keyword: "0%" })).toEqual([skill])
      expect(yield* query({ keyword: "%" })).toEqual([skill])
      expect(yield* query({ keyword: "\\" })).toEqual([])
    })
  )

  it.effect("nobody sees another user's sessions", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const userId = freshUser()
      yield* runs.accept(question({ session: { userId } }))
      expect(yield* listed({ userId: userId + 1 })).toEqual([])
    })
  )

  it.effect("a deleted session is nowhere to be found, and is deleted once", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const sessions = yield* Sessions
      const userId = freshUser()
      const asked = question({ session: { userId } })
      const { chatId } = asked.session
      yield* runs.accept(asked)
      expect(yield* sessions.remove(chatId)).toBe(true)
      expect(yield* sessions.remove(chatId)).toBe(false)
      expect(yield* sessions.remove(freshId())).toBe(false)
      expect(yield* sessions.get(chatId)).toEqual(Option.none())
      expect(yield* listed({ userId })).toEqual([])
      expect(yield* sessions.latestMessages([chatId])).toEqual([])
    })
  )

  it.effect("a run that is going on when its chat is deleted can still end", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      yield* Effect.flatMap(Sessions, (sessions) => sessions.remove(run.chat_id))
      expect(yield* runs.finish(run.id, done(answer("42")))).toHaveLength(1)
      expect(yield* runs.unfinished(run.owner)).not.toContainEqual(expect.objectContaining({ id: run.id }))
    })
  )

  it.effect("the latest message of a session is its newest question or answer", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const sessions = yield* Sessions
      const answered = yield* round(freshId(), "one")
      const asked = yield* runs.accept(question({ question: { message: "two" } }))
      yield* runs.record(asked.run.id, [answer("a step", { category: "tool" })])
      const emptied = yield* round(freshId(), "three")
      yield* runs.rollback(emptied.id)
      const chats = [answered.chat_id, asked.run.chat_id, emptied.chat_id, freshId()]
      const latest = yield* sessions.latestMessages(chats)
      const texts = new Map(latest.map((message) => [message.chat_id, message.message]))
      expect(texts).toEqual(
        new Map([
          [answered.chat_id, "one!"],
          [asked.run.chat_id, "two"]
        ])
      )
      expect(yield* sessions.latestMessages([])).toEqual([])
    })
  )
}

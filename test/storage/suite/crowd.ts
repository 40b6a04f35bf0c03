/** Questions of many chats at once: what a storage does for them together it does for each. */
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Audit } from "../../../src/storage/Audit.ts"
import { Messages } from "../../../src/storage/Messages.ts"
import { Recalls } from "../../../src/storage/Recalls.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import { Sessions } from "../../../src/storage/Sessions.ts"
import { answer, asked, done, freshId, type It, question, race, round, runOf, times } from "./vocabulary.ts"

/** More than leave together. */
const crowd = 75

const passage = { text: "as it is written", file_id: "f", file_name: "f.txt", page: 1, score: 0.5 }

const messageOf = (id: number) =>
  Effect.flatMap(Messages, (messages) => Effect.map(messages.get(id), Option.getOrThrow))

export const crowdSuite = (it: It) => {
  it.effect("questions that come to many chats at once are each accepted as if they were alone", () =>
    Effect.gen(function* () {
      const chats = times(crowd, freshId)
      const accepted = yield* race(chats.map((chatId, i) => asked(chatId, `q${i}`)))
      for (const [i, { run, fresh, ahead }] of accepted.entries()) {
        const chatId = chats[i] ?? ""
        expect({ fresh, ahead }).toEqual({ fresh: true, ahead: [] })
        expect(run).toMatchObject({ chat_id: chatId, status: "running", payload: `q${i}` })
        expect(yield* runOf(run.id)).toEqual(run)
        expect(yield* messageOf(run.question_id)).toMatchObject({
          chat_id: chatId,
          run_id: run.id,
          message: `q${i}`
        })
        const audited = yield* (yield* Audit).list({ objectId: chatId, limit: 10 })
        expect(audited.map(({ action }) => action)).toEqual(["chat.create"])
      }
      const later = yield* race(chats.map((chatId, i) => asked(chatId, `more ${i}`)))
      for (const [i, { run, ahead }] of later.entries()) {
        expect(run.status).toBe("queued")
        expect(ahead.map(({ payload }) => payload)).toEqual([`q${i}`])
        expect(yield* (yield* Audit).list({ objectId: run.chat_id, limit: 10 })).toHaveLength(1)
      }
    })
  )

  it.effect("one that is refused, or was accepted before, changes nothing for the others", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const sessions = yield* Sessions
      const others = times(crowd, freshId)
      const [strange, busy, full, known] = [freshId(), freshId(), freshId(), freshId()]
      yield* runs.accept(question({ session: { chatId: strange, userId: 8 } }))
      const before = yield* sessions.get(strange)
      for (const chatId of [busy, full]) yield* asked(chatId, "first")
      const repeat = question({ session: { chatId: known }, clientMsgId: "again", payload: "known" })
      yield* runs.accept(repeat)
      const unwelcome = [
        asked(strange, "mine?"),
        asked(busy, "now!", { onBusy: "reject" }),
        asked(full, "and this", { maxQueued: 0 }),
        runs.accept({ ...repeat, runId: freshId() })
      ]
      const results = yield* race(
        others.flatMap((chatId, i) => {
          const odd = unwelcome[i % 17]
          const own = asked(chatId, `q${i}`)
          return (odd === undefined ? [own] : [odd, own]).map((one) => Effect.either(one))
        })
      )
      const told = results.map(
        Either.match({
          onLeft: ({ _tag }): string => _tag,
          onRight: ({ run, fresh }) => (fresh ? run.status : `known ${run.payload}`)
        })
      )
      const count = (what: string) => told.filter((one) => one === what).length
      expect(count("running")).toBe(crowd)
      expect(count("SessionTaken")).toBe(5)
      expect(count("ChatBusy")).toBe(5)
      expect(count("ChatFull")).toBe(5)
      expect(count("known known")).toBe(5)
      expect(yield* sessions.get(strange)).toEqual(before)
      expect((yield* runs.queue(full)).map(({ payload }) => payload)).toEqual(["first"])
      for (const chatId of others) expect(yield* runs.queue(chatId)).toHaveLength(1)
    })
  )

  it.effect("runs that end at once each keep what they said, in their order", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const messages = yield* Messages
      const accepted = yield* race(times(crowd, (i) => asked(freshId(), `q${i}`)))
      const said = (i: number) => times(i % 4, (n) => `${i}.${n}`)
      const parked = 30
      const over = 40
      for (const [i, { run }] of accepted.entries()) {
        yield* runs.checkpoint([{ runId: run.id, text: "so far", reasoning: "" }])
        if (i % 5 === 0) yield* runs.record(run.id, [answer("a step")])
        if (i === parked) yield* runs.park(run.id, { state: "{}", until: new Date() })
        if (i === over) yield* runs.finish(run.id, done(answer("already")))
      }
      const ids = yield* race(
        accepted.map(({ run }, i) =>
          runs.finish(run.id, {
            ...done(...said(i).map((text) => answer(text, i % 3 === 0 ? { passages: [passage] } : {}))),
            status: i % 2 === 0 ? "done" : "failed",
            error: i % 2 === 0 ? "" : `why ${i}`,
            promptTokens: i,
            completionTokens: 2 * i
          })
        )
      )
      for (const [i, { run }] of accepted.entries()) {
        if (i === over) {
          expect(ids[i]).toEqual([])
          continue
        }
        expect(yield* runOf(run.id)).toMatchObject({
          status: i % 2 === 0 ? "done" : "failed",
          error: i % 2 === 0 ? "" : `why ${i}`,
          prompt_tokens: i,
          completion_tokens: 2 * i,
          partial_text: ""
        })
        const stored = yield* messages.ofRun(run.id)
        const ends = stored.slice(i % 5 === 0 ? 2 : 1)
        expect(ends.map(({ message }) => message)).toEqual(said(i))
        expect(ends.map(({ id }) => id)).toEqual(ids[i])
        for (const { id } of ends) {
          const recalled = yield* (yield* Recalls).ofMessage(id)
          expect(recalled.map(({ chunk }) => chunk)).toEqual(i % 3 === 0 ? [passage.text] : [])
        }
      }
      const untold = (yield* runs.untold(1000)).map(({ id }) => id)
      expect(accepted.map(({ run }) => run.id).filter((id) => untold.includes(id))).toEqual([
        accepted[parked]?.run.id
      ])
    })
  )

  it.effect("what is read of many chats at once is each one's own", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const messages = yield* Messages
      const sessions = yield* Sessions
      const chats = times(crowd, freshId)
      yield* race(
        chats.map((chatId, i) =>
          Effect.forEach(times(1 + (i % 3), String), (n) => round(chatId, `${i}.${n}`))
        )
      )
      const waiting = (i: number) => i % 2 === 0
      for (const [i, chatId] of chats.entries()) {
        if (waiting(i)) {
          const entry = { startNow: false, onBusy: "enqueue", maxQueued: 9 } as const
          yield* runs.accept(question({ session: { chatId }, clientMsgId: `c${i}`, entry }))
        }
      }
      const remembered = yield* race(chats.map((chatId) => messages.memory(chatId, 2)))
      for (const [i, rows] of remembered.entries()) {
        const latest = times(1 + (i % 3), (n) => `${i}.${n}`).slice(-2)
        expect(rows.map(({ message }) => message)).toEqual(latest.flatMap((text) => [text, `${text}!`]))
      }
      expect(yield* race(chats.map((chatId) => runs.waits(chatId)))).toEqual(chats.map((_, i) => waiting(i)))
      const found = yield* race(chats.map((chatId, i) => runs.find(chatId, `c${i}`)))
      expect(found.map(Option.match({ onNone: () => null, onSome: ({ chat_id }) => chat_id }))).toEqual(
        chats.map((chatId, i) => (waiting(i) ? chatId : null))
      )
      const kept = yield* race(chats.map((chatId) => sessions.get(chatId)))
      expect(kept.map(Option.match({ onNone: () => null, onSome: ({ chat_id }) => chat_id }))).toEqual(chats)
    })
  )
}

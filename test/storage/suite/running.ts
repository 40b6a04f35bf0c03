import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import { Sessions } from "../../../src/storage/Sessions.ts"
import { answer, done, freshId, type It, itIs, question, race, round, someTime, times } from "./vocabulary.ts"

const runOf = (runId: string) =>
  Effect.flatMap(Runs, (runs) => Effect.map(runs.get(runId), Option.getOrThrow))

const texts = (chatId: string) =>
  Effect.gen(function* () {
    const page = yield* (yield* Messages).page({ chatId, before: null, limit: 1000 })
    return page.map(({ message }) => message).toReversed()
  })

export const runningSuite = (it: It) => {
  it.effect("a queued run leaves the queue once", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      yield* itIs(someTime)
      yield* runs.dequeue(run.chat_id, run.owner)
      const started = yield* runOf(run.id)
      expect(started).toEqual({ ...run, status: "running", start_time: new Date(someTime) })
      yield* itIs(someTime + 1000)
      yield* runs.dequeue(run.chat_id, run.owner)
      expect(yield* runOf(run.id)).toEqual(started)
    })
  )

  it.effect("a run that has ended does not start, and an unknown one is nobody's trouble", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      yield* runs.finish(run.id, { ...done(), status: "stopped" })
      yield* runs.dequeue(run.chat_id, run.owner)
      expect(yield* runs.dequeue(freshId(), "node-1")).toEqual(Option.none())
      expect(yield* runOf(run.id)).toMatchObject({ status: "stopped", start_time: null })
    })
  )

  it.effect("messages in the middle of a run get increasing ids, in order", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      const first = yield* runs.record(run.id, [answer("a"), answer("b")])
      const second = yield* runs.record(run.id, [answer("c")])
      const none = yield* runs.record(run.id, [])
      const last = yield* runs.finish(run.id, done(answer("d"), answer("e")))
      const ids = [run.question_id, ...first, ...second, ...none, ...last]
      expect(ids).toHaveLength(6)
      expect(ids.toSorted((a, b) => a - b)).toEqual(ids)
      expect(yield* texts(run.chat_id)).toEqual(["why?", "a", "b", "c", "d", "e"])
      const kept = yield* Effect.flatMap(Messages, (messages) => messages.get(last[0] ?? 0))
      expect(Option.getOrThrow(kept)).toMatchObject({
        message: "d",
        chat_id: run.chat_id,
        flow_id: run.flow_id,
        user_id: run.user_id,
        run_id: run.id
      })
    })
  )

  it.effect("nothing is recorded under a run that has ended or was never accepted", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      yield* runs.finish(run.id, done())
      expect(yield* runs.record(run.id, [answer("late")])).toEqual([])
      expect(yield* runs.record(freshId(), [answer("lost")])).toEqual([])
      expect(yield* texts(run.chat_id)).toEqual(["why?"])
    })
  )

  it.effect("all that a writer says of a message is kept", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      const said = {
        is_bot: true,
        type: "end",
        category: "tool",
        message: "m",
        source: 1,
        intermediate_steps: "steps",
        files: '[{"name":"a.pdf"}]',
        extra: '{"run_id":"x"}',
        remark: "break_answer",
        sender: "Ann",
        receiver: '{"is_self":true}'
      }
      const [id] = yield* runs.record(run.id, [{ ...said, passages: [] }])
      const kept = yield* Effect.flatMap(Messages, (messages) => messages.get(id ?? 0))
      expect(Option.getOrThrow(kept)).toMatchObject(said)
    })
  )

  it.effect("checkpoints add up, for many runs at once", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const accepted = yield* Effect.forEach(
        times(5, () => question()),
        runs.accept
      )
      const parts = (text: string, reasoning: string) =>
        accepted.map(({ run }) => ({ runId: run.id, text: text + run.id, reasoning }))
      yield* runs.checkpoint(parts("Hel", "hm"))
      yield* runs.checkpoint(parts("lo 🌊", ""))
      for (const { run } of accepted) {
        expect(yield* runOf(run.id)).toMatchObject({
          partial_text: `Hel${run.id}lo 🌊${run.id}`,
          partial_reasoning: "hm"
        })
      }
    })
  )

  it.effect("a checkpoint leaves ended and unknown runs alone", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const [ended, going] = yield* Effect.all([runs.accept(question()), runs.accept(question())])
      yield* runs.finish(ended.run.id, done())
      yield* runs.checkpoint([])
      yield* runs.checkpoint([{ runId: ended.run.id, text: "late", reasoning: "" }])
      yield* runs.checkpoint(
        [ended.run.id, freshId(), going.run.id].map((runId) => ({ runId, text: "x", reasoning: "y" }))
      )
      expect(yield* runOf(ended.run.id)).toMatchObject({ partial_text: "", partial_reasoning: "" })
      expect(yield* runOf(going.run.id)).toMatchObject({ partial_text: "x", partial_reasoning: "y" })
    })
  )

  it.effect(
    "the end of a run stores its messages, its figures and its time, and clears the partial answer",
    () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* itIs(someTime)
        const { run } = yield* runs.accept(question())
        yield* runs.dequeue(run.chat_id, run.owner)
        yield* runs.checkpoint([{ runId: run.id, text: "par", reasoning: "hm" }])
        yield* itIs(someTime + 1500)
        const ids = yield* runs.finish(run.id, {
          status: "failed",
          error: "the model is gone",
          promptTokens: 11,
          completionTokens: 22,
          messages: [
            answer("hm", { category: "reasoning_answer" }),
            answer("par", { remark: "break_answer" })
          ]
        })
        expect(ids).toHaveLength(2)
        expect(yield* runOf(run.id)).toEqual({
          ...run,
          status: "failed",
          error: "the model is gone",
          prompt_tokens: 11,
          completion_tokens: 22,
          start_time: new Date(someTime),
          end_time: new Date(someTime + 1500)
        })
        expect(yield* texts(run.chat_id)).toEqual(["why?", "hm", "par"])
        const session = yield* Effect.flatMap(Sessions, (sessions) => sessions.get(run.chat_id))
        expect(Option.getOrThrow(session).update_time).toEqual(new Date(someTime + 1500))
      })
  )

  it.effect("a run ends once: a second end changes nothing and answers no ids", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* round(freshId(), "why?")
      const before = yield* runOf(run.id)
      expect(yield* runs.finish(run.id, { ...done(answer("again")), status: "lost" })).toEqual([])
      expect(yield* runs.finish(freshId(), done(answer("nobody's")))).toEqual([])
      expect(yield* runOf(run.id)).toEqual(before)
      expect(yield* texts(run.chat_id)).toEqual(["why?", "why?!"])
    })
  )

  it.effect("of several ends at once, one counts", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      const ends = yield* race(times(12, (i) => runs.finish(run.id, done(answer(`end ${i}`)))))
      const winners = ends.flatMap((ids, i) => (ids.length === 0 ? [] : [i]))
      expect(winners).toHaveLength(1)
      expect(yield* texts(run.chat_id)).toEqual(["why?", `end ${winners[0]}`])
    })
  )

  it.effect("writers to one chat at once lose nothing and wait for no one for ever", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const sessions = yield* Sessions
      const chatId = freshId()
      const accepted = yield* Effect.forEach(
        times(8, () => question({ session: { chatId } })),
        (asked) => runs.accept(asked)
      )
      const ids = yield* race(
        accepted.map(({ run }, i) =>
          Effect.gen(function* () {
            yield* runs.dequeue(run.chat_id, run.owner)
            const recorded = yield* runs.record(run.id, [answer(`step ${i}`)])
            yield* runs.checkpoint(accepted.map(({ run }) => ({ runId: run.id, text: ".", reasoning: "" })))
            yield* sessions.forget(chatId)
            const { run: next } = yield* runs.accept(question({ session: { chatId } }))
            return [...recorded, ...(yield* runs.finish(run.id, done(answer(`end ${i}`)))), next.question_id]
          })
        )
      )
      expect(new Set(ids.flat()).size).toBe(24)
      expect(yield* texts(chatId)).toHaveLength(32)
    })
  )

  it.effect("a rollback removes every message of the run, its question included, and nothing else", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* round(chatId, "one")
      const { run } = yield* runs.accept(question({ clientMsgId: "m-2", session: { chatId } }))
      yield* runs.dequeue(run.chat_id, run.owner)
      yield* runs.record(run.id, [answer("tool", { category: "tool" })])
      const passages = [{ text: "t", file_id: "f", file_name: "a.pdf", page: null, score: 0.5 }]
      yield* itIs(someTime)
      yield* runs.finish(run.id, { ...done(answer("part", { passages })), status: "stopped" })
      yield* round(chatId, "three")
      yield* runs.rollback(run.id)
      expect(yield* texts(chatId)).toEqual(["one", "one!", "three", "three!"])
      const gone = yield* runOf(run.id)
      expect(gone).toMatchObject({ status: "stopped", end_time: new Date(someTime), partial_text: "" })
      expect(yield* Effect.flatMap(Messages, (messages) => messages.get(run.question_id))).toEqual(
        Option.none()
      )
      yield* runs.rollback(run.id)
      yield* runs.rollback(freshId())
      expect(yield* runOf(run.id)).toEqual(gone)
      const repeat = yield* runs.accept(question({ clientMsgId: "m-2", session: { chatId } }))
      expect(repeat).toEqual({ run: gone, fresh: false, ahead: [] })
    })
  )

  it.effect("a completed run that is rolled back is stopped, and its ids are not used again", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* round(freshId(), "why?")
      yield* runs.rollback(run.id)
      expect(yield* runOf(run.id)).toMatchObject({ status: "stopped" })
      expect(yield* runs.finish(run.id, done(answer("late")))).toEqual([])
      expect(yield* texts(run.chat_id)).toEqual([])
      const next = yield* round(run.chat_id, "next")
      expect(next.question_id).toBeGreaterThan(run.question_id + 1)
    })
  )

  it.effect("a chat's runs are listed newest first", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const one = yield* round(chatId, "one")
      const two = yield* round(chatId, "two")
      const three = yield* round(chatId, "three")
      const ids = (limit: number) =>
        Effect.map(runs.ofChat(chatId, limit), (rows) => rows.map((run) => run.id))
      expect(yield* ids(10)).toEqual([three.id, two.id, one.id])
      expect(yield* ids(2)).toEqual([three.id, two.id])
      expect(yield* ids(0)).toEqual([])
      expect(yield* runs.ofChat(freshId(), 10)).toEqual([])
    })
  )

  it.effect("the unfinished runs of a server are those that it has not ended, oldest first", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const owner = freshId()
      const [queued, ended, running] = yield* Effect.all([
        runs.accept(question({ owner })),
        runs.accept(question({ owner })),
        runs.accept(question({ owner }))
      ])
      yield* runs.accept(question({ owner: `${owner} ` }))
      yield* runs.finish(ended.run.id, done())
      yield* runs.dequeue(running.run.chat_id, running.run.owner)
      yield* runs.checkpoint([{ runId: running.run.id, text: "so far", reasoning: "" }])
      const left = yield* runs.unfinished(owner)
      expect(left.map(({ id, status, partial_text }) => [id, status, partial_text])).toEqual([
        [queued.run.id, "queued", ""],
        [running.run.id, "running", "so far"]
      ])
    })
  )
}

import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import { answer, done, freshId, type It, itIs, question, race, someTime, times } from "./vocabulary.ts"

const reply = { is_bot: false, type: "over", category: "question", message: "yes" }

const texts = (runId: string) =>
  Effect.gen(function* () {
    return (yield* (yield* Messages).ofRun(runId)).map(({ message }) => message)
  })

const parkedRun = (until: number) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const { run } = yield* runs.accept(question())
    yield* runs.dequeue(run.chat_id, run.owner)
    yield* runs.checkpoint([{ runId: run.id, text: "so far", reasoning: "" }])
    yield* runs.park(run.id, { state: '{"at":1}', until: new Date(until) })
    return run
  })

export const waitingSuite = (it: It) => {
  it.effect("a run that waits is found by its chat, with what it needs to go on", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* parkedRun(someTime)
      const found = Option.getOrThrow(yield* runs.waiting(run.chat_id))
      expect(found).toMatchObject({
        state: '{"at":1}',
        until: new Date(someTime),
        run: { id: run.id, status: "waiting_input", partial_text: "" }
      })
      expect(yield* runs.waiting(freshId())).toEqual(Option.none())
    })
  )

  it.effect("a reply is stored with the run's going on, once however many send one", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* parkedRun(someTime)
      const taken = yield* race(times(8, () => runs.resume(run.id, reply, "node-2")))
      expect(taken.filter(Option.isSome)).toHaveLength(1)
      expect(yield* texts(run.id)).toEqual(["why?", "yes"])
      expect(Option.getOrThrow(yield* runs.get(run.id)).status).toBe("running")
      expect(yield* runs.waiting(run.chat_id)).toEqual(Option.none())
    })
  )

  it.effect("a run that goes on belongs to the server that took the reply", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* parkedRun(someTime)
      const before = Option.getOrThrow(yield* runs.get(run.id))
      const owner = freshId()
      yield* runs.resume(run.id, reply, owner)
      const after = Option.getOrThrow(yield* runs.get(run.id))
      expect(after).toEqual({ ...before, status: "running", owner })
      expect(yield* runs.unfinished(owner)).toEqual([after])
      expect(yield* runs.resume(run.id, reply, "node-3")).toEqual(Option.none())
      expect(Option.getOrThrow(yield* runs.get(run.id)).owner).toBe(owner)
    })
  )

  it.effect("a run may wait again, with a state of its own", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* parkedRun(someTime)
      yield* runs.resume(run.id, reply, "node-2")
      yield* runs.park(run.id, { state: "2", until: new Date(someTime + 5) })
      expect(Option.getOrThrow(yield* runs.waiting(run.chat_id))).toMatchObject({
        state: "2",
        until: new Date(someTime + 5)
      })
    })
  )

  it.effect("a run that has ended neither waits nor goes on", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* parkedRun(someTime)
      yield* runs.finish(run.id, { ...done(), status: "stopped" })
      expect(yield* runs.waiting(run.chat_id)).toEqual(Option.none())
      expect(yield* runs.resume(run.id, reply, "node-2")).toEqual(Option.none())
      yield* runs.park(run.id, { state: "late", until: new Date(someTime) })
      expect(yield* runs.waiting(run.chat_id)).toEqual(Option.none())
    })
  )

  it.effect("a run that waits is not among those that a dead server left running", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const run = yield* parkedRun(someTime)
      const left = yield* runs.unfinished(run.owner)
      expect(left.map(({ id }) => id)).not.toContain(run.id)
    })
  )

  it.effect("runs that waited too long are told, the longest first", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const late = yield* parkedRun(someTime - 1)
      const later = yield* parkedRun(someTime - 1000)
      const patient = yield* parkedRun(someTime + 1)
      yield* itIs(someTime)
      const ids = (yield* runs.overdue(1000)).map(({ run }) => run.id)
      expect(ids).not.toContain(patient.id)
      expect(ids.indexOf(later.id)).toBeGreaterThanOrEqual(0)
      expect(ids.indexOf(late.id)).toBeGreaterThan(ids.indexOf(later.id))
      expect(yield* runs.overdue(1)).toHaveLength(1)
    })
  )

  it.effect("what is settled clears the partial answer with it", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      yield* runs.dequeue(run.chat_id, run.owner)
      yield* runs.checkpoint([{ runId: run.id, text: "one", reasoning: "r" }])
      const ids = yield* runs.settle(run.id, [answer("one")])
      expect(ids).toHaveLength(1)
      expect(Option.getOrThrow(yield* runs.get(run.id))).toMatchObject({
        partial_text: "",
        partial_reasoning: ""
      })
      yield* runs.checkpoint([{ runId: run.id, text: "tw", reasoning: "" }])
      yield* runs.checkpoint([{ runId: run.id, text: "two", reasoning: "", replaces: true }])
      expect(Option.getOrThrow(yield* runs.get(run.id)).partial_text).toBe("two")
    })
  )

  it.effect("a run that broke off is opened again, by one of those who try", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { run } = yield* runs.accept(question())
      yield* runs.dequeue(run.chat_id, run.owner)
      expect(yield* runs.reopen(run.id, "node-2")).toBe(false)
      yield* runs.finish(run.id, { ...done(answer("half")), status: "failed", error: "no" })
      const opened = yield* race(times(4, () => runs.reopen(run.id, "node-2")))
      expect(opened.filter((did) => did)).toHaveLength(1)
      expect(Option.getOrThrow(yield* runs.get(run.id))).toMatchObject({
        status: "queued",
        owner: "node-2",
        error: "",
        end_time: null
      })
      expect(yield* texts(run.id)).toEqual(["why?", "half"])
      yield* runs.finish(run.id, done())
      expect(yield* runs.reopen(run.id, "node-2")).toBe(false)
    })
  )

  it.effect("a question that nobody asked is kept for the run, and shown to nobody", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const messages = yield* Messages
      const { run } = yield* runs.accept(question({ question: { category: "init", message: "" } }))
      yield* runs.finish(run.id, done(answer("hello")))
      const page = yield* messages.page({ chatId: run.chat_id, before: null, limit: 10 })
      expect(page.map(({ message }) => message)).toEqual(["hello"])
    })
  )
}

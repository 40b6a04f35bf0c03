import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import { Sessions } from "../../../src/storage/Sessions.ts"
import {
  asked,
  done,
  freshId,
  type It,
  itIs,
  payloads,
  question,
  queueOf,
  runOf,
  someTime
} from "./vocabulary.ts"

const questionOf = (runId: string) =>
  Effect.flatMap(Messages, (messages) => Effect.map(messages.ofRun(runId), ([first]) => first))

export const queueingSuite = (it: It) => {
  it.effect("a question runs at once where nothing of its chat does, if it is to; others wait in order", () =>
    Effect.gen(function* () {
      const chatId = freshId()
      yield* itIs(someTime)
      const first = yield* asked(chatId, "first")
      expect(first).toMatchObject({
        ahead: [],
        run: { status: "running", start_time: new Date(someTime), payload: "first" }
      })
      expect(yield* runOf(first.run.id)).toEqual(first.run)
      const second = yield* asked(chatId, "second")
      expect(second.run).toMatchObject({ status: "queued", start_time: null })
      expect(second.ahead).toEqual([first.run])
      const third = yield* asked(chatId, "third")
      expect(payloads(third.ahead)).toEqual(["first", "second"])
      expect(yield* queueOf(chatId)).toEqual(["first", "second", "third"])
      const other = yield* asked(freshId(), "other", { startNow: false })
      expect(other.run.status).toBe("queued")
    })
  )

  it.effect("where one waits, the next waits behind it, though nothing runs", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* asked(chatId, "first", { startNow: false })
      const second = yield* asked(chatId, "second")
      expect(second.run.status).toBe("queued")
      expect(payloads(second.ahead)).toEqual(["first"])
      const taken = Option.getOrThrow(yield* runs.dequeue(chatId, "node-2"))
      expect(taken.payload).toBe("first")
    })
  )

  it.effect("one that is put in front goes before all that wait, the latest first", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      let { run } = yield* asked(chatId, "runs")
      yield* asked(chatId, "waits")
      yield* asked(chatId, "in front", { onBusy: "front" })
      const latest = yield* asked(chatId, "before that", { onBusy: "front" })
      expect(payloads(latest.ahead)).toEqual(["runs"])
      const last = yield* asked(chatId, "last")
      expect(payloads(last.ahead)).toEqual(["runs", "before that", "in front", "waits"])
      for (const next of ["before that", "in front", "waits", "last"]) {
        yield* runs.finish(run.id, done())
        run = Option.getOrThrow(yield* runs.dequeue(chatId, "node-2"))
        expect(run.payload).toBe(next)
      }
      yield* runs.finish(run.id, done())
      const alone = yield* asked(chatId, "alone", { onBusy: "front" })
      expect(alone).toMatchObject({ ahead: [], run: { status: "running" } })
    })
  )

  it.effect("one that must not wait is refused where something runs or waits, and nothing of it stays", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const refused = Effect.flip(asked(chatId, "refused", { onBusy: "reject" }))
      const kept = Effect.gen(function* () {
        const messages = yield* (yield* Messages).page({ chatId, before: null, limit: 10 })
        return { messages, session: yield* (yield* Sessions).get(chatId) }
      })
      yield* itIs(someTime)
      const { run } = yield* asked(chatId, "one", { onBusy: "reject" })
      const before = yield* kept
      yield* itIs(someTime + 1000)
      expect(yield* refused).toMatchObject({ _tag: "ChatBusy", chatId })
      expect(yield* kept).toEqual(before)
      yield* runs.finish(run.id, done())
      const waits = yield* asked(chatId, "two", { onBusy: "reject", startNow: false })
      expect(waits.run.status).toBe("queued")
      expect(yield* refused).toMatchObject({ _tag: "ChatBusy", chatId })
      yield* runs.cancel(chatId, null, "node-1")
      expect((yield* asked(chatId, "three", { onBusy: "reject" })).run.status).toBe("running")
    })
  )

  it.effect("a full queue takes no more, not even in front, until something has left it", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* asked(chatId, "runs", { maxQueued: 2 })
      yield* asked(chatId, "one", { maxQueued: 2 })
      const two = yield* asked(chatId, "two", { maxQueued: 2 })
      for (const onBusy of ["enqueue", "front"] as const) {
        const refused = yield* Effect.flip(asked(chatId, "too many", { onBusy, maxQueued: 2 }))
        expect(refused).toMatchObject({ _tag: "ChatFull", limit: 2 })
      }
      expect(yield* queueOf(chatId)).toEqual(["runs", "one", "two"])
      yield* runs.cancel(chatId, two.run.id, "node-1")
      expect((yield* asked(chatId, "three", { maxQueued: 2 })).run.status).toBe("queued")
    })
  )

  it.effect("a question that is known is never refused, however busy or full the chat is", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* asked(chatId, "runs")
      const known = question({ clientMsgId: "m-1", session: { chatId }, payload: "waits" })
      const { run } = yield* runs.accept(known)
      for (const onBusy of ["enqueue", "reject", "front"] as const) {
        const entry = { startNow: true, onBusy, maxQueued: 1 }
        const again = yield* runs.accept({ ...known, runId: freshId(), payload: "other", entry })
        expect(again).toEqual({ run, fresh: false, ahead: [] })
      }
      expect(yield* queueOf(chatId)).toEqual(["runs", "waits"])
    })
  )

  it.effect("the next question is taken when none of the chat runs, in its taker's name", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const { run } = yield* asked(chatId, "one")
      const two = yield* asked(chatId, "two")
      expect(yield* runs.dequeue(chatId, "node-2")).toEqual(Option.none())
      yield* runs.finish(run.id, done())
      yield* itIs(someTime)
      const taken = Option.getOrThrow(yield* runs.dequeue(chatId, "node-2"))
      expect(taken).toEqual({
        ...two.run,
        status: "running",
        owner: "node-2",
        start_time: new Date(someTime)
      })
      expect(yield* runOf(two.run.id)).toEqual(taken)
      yield* runs.finish(two.run.id, done())
      expect(yield* runs.dequeue(chatId, "node-2")).toEqual(Option.none())
      expect(yield* runs.dequeue(freshId(), "node-2")).toEqual(Option.none())
    })
  )

  it.effect("a run that waits for a person keeps no other one from beginning", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const { run } = yield* asked(chatId, "asks")
      yield* asked(chatId, "next")
      yield* runs.park(run.id, { state: "1", until: new Date(someTime) })
      expect(yield* queueOf(chatId)).toEqual(["next"])
      const taken = Option.getOrThrow(yield* runs.dequeue(chatId, "node-2"))
      expect(taken.payload).toBe("next")
      yield* runs.finish(taken.id, done())
      const after = yield* asked(chatId, "after", { onBusy: "reject" })
      expect(after).toMatchObject({ ahead: [], run: { status: "running" } })
    })
  )

  it.effect("what is cancelled is told in its order, has ended, and keeps its question", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const first = yield* asked(chatId, "runs")
      yield* asked(chatId, "one")
      const two = yield* asked(chatId, "two")
      yield* asked(chatId, "three", { onBusy: "front" })
      const elsewhere = freshId()
      yield* asked(elsewhere, "elsewhere", { startNow: false })
      yield* itIs(someTime)
      const cancelled = yield* runs.cancel(chatId, two.run.id, "node-2")
      const end = { status: "stopped", owner: "node-2", end_time: new Date(someTime) }
      expect(cancelled).toEqual([{ ...two.run, ...end }])
      expect(yield* runOf(two.run.id)).toEqual(cancelled[0])
      expect((yield* questionOf(two.run.id))?.message).toBe("two")
      expect(yield* runs.cancel(elsewhere, first.run.id, "node-1")).toEqual([])
      expect(payloads(yield* runs.cancel(chatId, null, "node-1"))).toEqual(["three", "one"])
      expect(yield* runs.cancel(chatId, null, "node-1")).toEqual([])
      expect(yield* runs.cancel(chatId, first.run.id, "node-1")).toEqual([])
      expect(yield* queueOf(chatId)).toEqual(["runs"])
      expect(yield* queueOf(elsewhere)).toEqual(["elsewhere"])
    })
  )

  it.effect(
    "what ends while it waits is untold until it is told; what goes on or ends by itself is not",
    () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const chatId = freshId()
        const first = yield* asked(chatId, "runs")
        const [one, two, three] = [
          (yield* asked(chatId, "one")).run.id,
          (yield* asked(chatId, "two")).run.id,
          (yield* asked(chatId, "three")).run.id
        ]
        const untold = Effect.map(runs.untold(10_000), (all) =>
          all.filter((run) => run.chat_id === chatId).map(({ id }) => id)
        )
        yield* itIs(someTime)
        yield* runs.cancel(chatId, two, "node-1")
        yield* itIs(someTime + 1000)
        const cancelled = yield* runs.cancel(chatId, null, "node-1")
        expect(yield* untold).toEqual([two, one, three])
        expect((yield* runs.untold(10_000)).find(({ id }) => id === one)).toEqual(cancelled[0])
        expect((yield* runs.untold(1)).length).toBe(1)
        yield* runs.told([two, one, freshId()])
        yield* runs.told([])
        expect(yield* untold).toEqual([three])
        yield* runs.reopen(three, "node-1")
        expect(yield* untold).toEqual([])
        yield* runs.cancel(chatId, three, "node-1")
        expect(yield* untold).toEqual([three])
        yield* runs.told([three])
        yield* runs.told([three])
        expect(yield* untold).toEqual([])
        const waits = yield* asked(chatId, "waits")
        yield* runs.park(first.run.id, { state: "1", until: new Date(someTime) })
        yield* runs.finish(first.run.id, done())
        expect(yield* untold).toEqual([first.run.id])
        yield* runs.told([first.run.id])
        yield* runs.finish(Option.getOrThrow(yield* runs.dequeue(chatId, "node-1")).id, done())
        expect((yield* runOf(waits.run.id)).status).toBe("done")
        expect(yield* untold).toEqual([])
      })
  )

  it.effect("a question that waits can be put in other words; one that has begun or ended cannot", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* itIs(someTime)
      const going = yield* asked(chatId, "going")
      const { run } = yield* asked(chatId, "watis")
      const asking = yield* questionOf(run.id)
      const change = { message: "waits", payload: "new" }
      yield* itIs(someTime + 1000)
      expect(yield* runs.amend(run.id, change)).toBe(true)
      expect(yield* runOf(run.id)).toEqual({ ...run, payload: "new" })
      const amended = { ...asking, message: "waits", update_time: new Date(someTime + 1000) }
      expect(yield* questionOf(run.id)).toEqual(amended)
      yield* runs.cancel(chatId, run.id, "node-1")
      const late = { message: "late", payload: "late" }
      for (const runId of [run.id, going.run.id, freshId()]) {
        expect(yield* runs.amend(runId, late)).toBe(false)
      }
      expect(yield* questionOf(run.id)).toEqual(amended)
      expect((yield* questionOf(going.run.id))?.message).toBe("going")
      expect(yield* runOf(going.run.id)).toEqual(going.run)
    })
  )

  it.effect("owners are those with something that runs or waits for its turn, each once", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const [running, waiting, parked, over] = [freshId(), freshId(), freshId(), freshId()]
      const chatId = freshId()
      const entry = { startNow: true, onBusy: "enqueue", maxQueued: 10 } as const
      yield* runs.accept(question({ owner: running, session: { chatId }, entry }))
      yield* runs.accept(question({ owner: running, session: { chatId }, entry }))
      yield* runs.accept(question({ owner: waiting, session: { chatId }, entry }))
      const asks = yield* runs.accept(question({ owner: parked, entry }))
      yield* runs.park(asks.run.id, { state: "1", until: new Date(someTime) })
      const { run } = yield* runs.accept(question({ owner: over, entry }))
      yield* runs.finish(run.id, done())
      const known = new Set([running, waiting, parked, over])
      const owners = (yield* runs.owners).filter((owner) => known.has(owner))
      expect(owners.toSorted()).toEqual([running, waiting].toSorted())
      expect((yield* runs.unfinished(waiting)).map(({ status }) => status)).toEqual(["queued"])
    })
  )
}

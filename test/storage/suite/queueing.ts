import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../../../src/storage/Messages.ts"
import { type Entry, Runs } from "../../../src/storage/Runs.ts"
import { done, freshId, type It, itIs, question, race, someTime, times } from "./vocabulary.ts"

const entry = (more: Partial<Entry> = {}): Entry => ({
  startNow: true,
  onBusy: "enqueue",
  maxQueued: 10,
  ...more
})

/** A question of this chat; its text is what the tests know it by. */
const asked = (chatId: string, message: string, more: Partial<Entry> = {}) =>
  Effect.flatMap(Runs, (runs) =>
    runs.accept(
      question({ session: { chatId }, question: { message }, payload: message, entry: entry(more) })
    )
  )

const runOf = (runId: string) =>
  Effect.flatMap(Runs, (runs) => Effect.map(runs.get(runId), Option.getOrThrow))

const payloads = (runs: ReadonlyArray<{ readonly payload: string }>) => runs.map(({ payload }) => payload)

const queueOf = (chatId: string) => Effect.flatMap(Runs, (runs) => Effect.map(runs.queue(chatId), payloads))

export const queueingSuite = (it: It) => {
  it.effect("a question runs at once where nothing of its chat does, if it is to; others wait in order", () =>
    Effect.gen(function* () {
      const chatId = freshId()
      yield* itIs(someTime)
      const first = yield* asked(chatId, "first")
      expect(first.run).toMatchObject({ status: "running", start_time: new Date(someTime) })
      expect(yield* runOf(first.run.id)).toEqual(first.run)
      const second = yield* asked(chatId, "second")
      expect(second.run).toMatchObject({ status: "queued", start_time: null })
      const third = yield* asked(chatId, "third")
      expect(payloads(third.ahead)).toEqual(["first", "second"])
      expect(yield* queueOf(chatId)).toEqual(["first", "second", "third"])
      const other = yield* asked(freshId(), "other", { startNow: false })
      expect(other.run.status).toBe("queued")
    })
  )

  it.effect("one that is put in front goes before all that wait, the latest first", () =>
    Effect.gen(function* () {
      const chatId = freshId()
      yield* asked(chatId, "runs")
      yield* asked(chatId, "waits")
      yield* asked(chatId, "in front", { onBusy: "front" })
      const { ahead } = yield* asked(chatId, "before that", { onBusy: "front" })
      expect(payloads(ahead)).toEqual(["runs"])
      expect(yield* queueOf(chatId)).toEqual(["runs", "before that", "in front", "waits"])
    })
  )

  it.effect("one that must not wait is refused where something runs or waits, and nothing of it stays", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const { run } = yield* asked(chatId, "one")
      expect(yield* Effect.flip(asked(chatId, "two", { onBusy: "reject" }))).toMatchObject({
        _tag: "ChatBusy"
      })
      expect(yield* queueOf(chatId)).toEqual(["one"])
      yield* runs.finish(run.id, done())
      expect((yield* asked(chatId, "three", { onBusy: "reject" })).run.status).toBe("running")
    })
  )

  it.effect("a full queue takes no more, but knows what it took before", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* asked(chatId, "runs")
      const known = question({
        clientMsgId: "m-1",
        session: { chatId },
        payload: "waits",
        entry: entry({ maxQueued: 1 })
      })
      yield* runs.accept(known)
      for (const onBusy of ["enqueue", "front"] as const) {
        const refused = yield* Effect.flip(asked(chatId, "too many", { onBusy, maxQueued: 1 }))
        expect(refused).toMatchObject({ _tag: "ChatFull", limit: 1 })
      }
      expect(yield* runs.accept({ ...known, runId: freshId() })).toMatchObject({
        fresh: false,
        ahead: [],
        run: { id: known.runId, status: "queued" }
      })
      expect(yield* queueOf(chatId)).toEqual(["runs", "waits"])
    })
  )

  it.effect("the next question is taken when none of the chat runs, by one of those who try", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const { run } = yield* asked(chatId, "one")
      yield* asked(chatId, "two")
      yield* asked(chatId, "three")
      expect(yield* runs.dequeue(chatId, "node-2")).toEqual(Option.none())
      yield* runs.finish(run.id, done())
      const taken = yield* race(times(8, (i) => runs.dequeue(chatId, `node-${i}`)))
      const winners = taken.flatMap((one) => (Option.isSome(one) ? [one.value] : []))
      expect(payloads(winners)).toEqual(["two"])
      expect(yield* runOf(winners[0]?.id ?? "")).toEqual(winners[0])
      expect(yield* runs.dequeue(freshId(), "node-1")).toEqual(Option.none())
    })
  )

  it.effect("a run that waits for a person keeps no other one from beginning", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const { run } = yield* asked(chatId, "asks")
      yield* runs.park(run.id, { state: "1", until: new Date(someTime) })
      expect((yield* asked(chatId, "next")).run.status).toBe("running")
    })
  )

  it.effect("a question leaves the queue once: it is taken or cancelled, never both", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      for (let round = 0; round < 5; round++) {
        const chatId = freshId()
        const { run } = yield* asked(chatId, "contended", { startNow: false })
        const [taken, ...cancelled] = yield* race([
          Effect.map(runs.dequeue(chatId, "node-1"), (one) => (Option.isSome(one) ? [one.value] : [])),
          runs.cancel(chatId, run.id),
          runs.cancel(chatId, null)
        ])
        expect([...(taken ?? []), ...cancelled.flat()]).toHaveLength(1)
        expect((yield* runOf(run.id)).status).toBe(taken?.length === 1 ? "running" : "stopped")
      }
    })
  )

  it.effect("what is cancelled is told in its order, has ended, and keeps its question", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const first = yield* asked(chatId, "runs")
      yield* asked(chatId, "one")
      const two = yield* asked(chatId, "two")
      yield* asked(chatId, "three")
      yield* itIs(someTime)
      expect(payloads(yield* runs.cancel(chatId, two.run.id))).toEqual(["two"])
      expect(payloads(yield* runs.cancel(chatId, null))).toEqual(["one", "three"])
      expect(yield* runs.cancel(chatId, null)).toEqual([])
      expect(yield* runs.cancel(chatId, first.run.id)).toEqual([])
      expect(yield* runOf(two.run.id)).toMatchObject({ status: "stopped", end_time: new Date(someTime) })
      expect(yield* queueOf(chatId)).toEqual(["runs"])
      const rows = yield* Effect.flatMap(Messages, (messages) => messages.ofRun(two.run.id))
      expect(rows.map(({ message }) => message)).toEqual(["two"])
    })
  )

  it.effect("a question that waits can be put in other words; one that runs cannot", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const going = yield* asked(chatId, "going")
      const { run } = yield* asked(chatId, "watis")
      const change = { message: "waits", payload: "new" }
      expect(yield* runs.amend(run.id, change)).toBe(true)
      expect((yield* runOf(run.id)).payload).toBe("new")
      const rows = yield* Effect.flatMap(Messages, (messages) => messages.ofRun(run.id))
      expect(rows.map(({ message }) => message)).toEqual(["waits"])
      expect(yield* runs.amend(going.run.id, change)).toBe(false)
      expect(yield* runs.amend(freshId(), change)).toBe(false)
      expect((yield* runOf(going.run.id)).payload).toBe("going")
    })
  )

  it.effect("owners are those with something that runs or waits for its turn", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const [running, waiting, over] = [freshId(), freshId(), freshId()]
      const chatId = freshId()
      yield* runs.accept(question({ owner: running, session: { chatId }, entry: entry() }))
      yield* runs.accept(question({ owner: waiting, session: { chatId } }))
      const { run } = yield* runs.accept(question({ owner: over, entry: entry() }))
      yield* runs.finish(run.id, done())
      const owners = yield* runs.owners
      expect(owners.filter((owner) => [running, waiting, over].includes(owner)).sort()).toEqual(
        [running, waiting].sort()
      )
      expect((yield* runs.unfinished(waiting)).map(({ status }) => status)).toEqual(["queued"])
    })
  )
}

import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import {
  asked,
  done,
  freshId,
  type It,
  payloads,
  question,
  queueOf,
  race,
  runOf,
  times
} from "./vocabulary.ts"

/** Races are run more than once, because not every time is one. */
const again = <E, R>(effect: Effect.Effect<void, E, R>) => Effect.repeatN(effect, 4)

export const racingSuite = (it: It) => {
  it.effect("of questions that come to an idle chat at once, one runs, and each knows those before it", () =>
    Effect.gen(function* () {
      const chatId = freshId()
      const accepted = yield* race(times(12, (i) => asked(chatId, `q${i}`)))
      expect(accepted.filter(({ run }) => run.status === "running")).toHaveLength(1)
      const order = yield* queueOf(chatId)
      expect(order).toHaveLength(12)
      for (const { run, ahead } of accepted) {
        expect(payloads(ahead)).toEqual(order.slice(0, order.indexOf(run.payload)))
      }
    })
  )

  it.effect(
    "however many come at once, one gets in where none must wait, and no more than there is room",
    () =>
      Effect.gen(function* () {
        const attempts = (chatId: string, onBusy: "enqueue" | "reject" | "front") =>
          race(times(12, (i) => Effect.either(asked(chatId, `q${i}`, { onBusy, maxQueued: 3 }))))
        const lonely = freshId()
        const one = yield* attempts(lonely, "reject")
        expect(one.filter(({ _tag }) => _tag === "Right")).toHaveLength(1)
        expect(yield* queueOf(lonely)).toHaveLength(1)
        for (const onBusy of ["enqueue", "front"] as const) {
          const chatId = freshId()
          const some = yield* attempts(chatId, onBusy)
          expect(some.filter(({ _tag }) => _tag === "Right")).toHaveLength(4)
          expect(yield* queueOf(chatId)).toHaveLength(4)
        }
      })
  )

  it.effect("one question that comes many times at once runs once, and all are told of the same run", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const entry = { startNow: true, onBusy: "reject", maxQueued: 1 } as const
      const accepted = yield* race(
        times(24, () => runs.accept(question({ clientMsgId: "m-1", session: { chatId }, entry })))
      )
      expect(accepted.filter(({ fresh }) => fresh)).toHaveLength(1)
      const [kept] = yield* runs.queue(chatId)
      expect(kept?.status).toBe("running")
      for (const { run, ahead } of accepted) expect({ run, ahead }).toEqual({ run: kept, ahead: [] })
      expect(yield* runs.ofChat(chatId, 10)).toEqual([kept])
    })
  )

  it.effect("of those who would take the next question, one gets it", () =>
    again(
      Effect.gen(function* () {
        const runs = yield* Runs
        const chatId = freshId()
        const { run } = yield* asked(chatId, "one", { startNow: false })
        yield* asked(chatId, "two")
        const taken = yield* race(times(8, (i) => runs.dequeue(chatId, `node-${i}`)))
        const winners = taken.flatMap(Option.toArray)
        expect(winners.map(({ id }) => id)).toEqual([run.id])
        expect(winners).toEqual([yield* runOf(run.id)])
        expect((yield* runs.queue(chatId)).map(({ status }) => status)).toEqual(["running", "queued"])
      })
    )
  )

  it.effect("a question leaves the queue once: taken or cancelled", () =>
    again(
      Effect.gen(function* () {
        const runs = yield* Runs
        const chatId = freshId()
        const { run } = yield* asked(chatId, "contended", { startNow: false })
        const left = yield* race([
          Effect.map(runs.cancel(chatId, run.id, "node-1"), (cancelled) => cancelled.length > 0 && "stopped"),
          Effect.map(runs.dequeue(chatId, "taker"), (taken) => Option.isSome(taken) && "taker"),
          Effect.map(runs.cancel(chatId, null, "node-1"), (cancelled) => cancelled.length > 0 && "stopped")
        ])
        const { status, owner } = yield* runOf(run.id)
        expect(left.filter((how) => how !== false)).toEqual([status === "running" ? owner : status])
      })
    )
  )

  it.effect("whoever takes a question gets it in the words it was left with", () =>
    again(
      Effect.gen(function* () {
        const runs = yield* Runs
        const chatId = freshId()
        const { run } = yield* asked(chatId, "old", { startNow: false })
        const change = { message: "new", payload: "new" }
        const [amended, taken] = yield* race([
          Effect.map(runs.amend(run.id, change), (did) => (did ? "new" : "old")),
          Effect.map(runs.dequeue(chatId, "node-1"), (one) => Option.getOrThrow(one).payload)
        ])
        expect(taken).toBe(amended)
        const rows = yield* Effect.flatMap(Messages, (messages) => messages.ofRun(run.id))
        expect(rows.map(({ message }) => message)).toEqual([amended])
      })
    )
  )

  it.effect("a question that comes as the run before it ends is not left lying", () =>
    again(
      Effect.gen(function* () {
        const runs = yield* Runs
        const chatId = freshId()
        const { run } = yield* asked(chatId, "first")
        // Who ends a run looks for the next one afterwards; who asks looks whether something runs.
        yield* race([
          Effect.asVoid(Effect.zipRight(runs.finish(run.id, done()), runs.dequeue(chatId, "node-1"))),
          Effect.asVoid(asked(chatId, "second"))
        ])
        expect((yield* runs.queue(chatId)).map(({ payload, status }) => [payload, status])).toEqual([
          ["second", "running"]
        ])
      })
    )
  )
}

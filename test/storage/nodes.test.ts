/** What the queue promises to several servers, each with connections of its own to one MySQL database. */
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type RunStore, Runs } from "../../src/storage/Runs.ts"
import type { Run } from "../../src/storage/rows.ts"
import { Storage } from "../../src/storage/Storage.ts"
import { freshDatabase } from "../support/database.ts"
import { answer, done, freshId, question, times } from "./suite/vocabulary.ts"

const nodes = (n: number) =>
  Effect.gen(function* () {
    const url = Redacted.make(yield* freshDatabase)
    const open = Effect.map(Layer.build(Layer.fresh(Storage.Mysql(url))), Context.get(Runs))
    return yield* Effect.replicateEffect(open, n)
  })

const all = <A, E, R>(effects: Iterable<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

const ask = (runs: RunStore, chatId: string, startNow: boolean) => {
  const entry = { startNow, onBusy: "enqueue", maxQueued: 100 } as const
  return runs.accept(question({ session: { chatId }, entry }))
}

it.scopedLive("eight fibers on two nodes take a queue apart, one question after the other, each once", () =>
  Effect.gen(function* () {
    const two = yield* nodes(2)
    const [first] = two
    if (first === undefined) return expect.unreachable()
    const chatId = freshId()
    const asked = yield* Effect.all(times(12, () => ask(first, chatId, false)))
    const taken: Array<Run> = []
    for (const _ of asked) {
      const round = yield* all(times(8, (i) => (two[i % 2] ?? first).dequeue(chatId, `node-${i % 2}`)))
      const [winner, ...more] = round.flatMap(Option.toArray)
      if (winner === undefined) return expect.unreachable()
      expect(more).toEqual([])
      taken.push(winner)
      yield* first.finish(winner.id, done())
    }
    expect(taken.map(({ id }) => id)).toEqual(asked.map(({ run }) => run.id))
    expect(yield* first.dequeue(chatId, "node-0")).toEqual(Option.none())
  })
)

it.scopedLive(
  "in a crowd of askers, workers, and people who change their minds, no two runs of a chat overlap",
  () =>
    Effect.gen(function* () {
      const three = yield* nodes(3)
      const [first] = three
      if (first === undefined) return expect.unreachable()
      const chats = times(3, freshId)
      const running = new Map<string, string>()
      const over = new Set<string>()

      const work = (runs: RunStore, run: Run): Effect.Effect<void, unknown> =>
        Effect.gen(function* () {
          expect(running.get(run.chat_id)).toBeUndefined()
          expect(over.has(run.id)).toBe(false)
          running.set(run.chat_id, run.id)
          over.add(run.id)
          yield* runs.record(run.id, [answer("a step")])
          yield* runs.checkpoint([{ runId: run.id, text: "so far", reasoning: "" }])
          running.delete(run.chat_id)
          yield* runs.finish(run.id, done(answer("the end")))
          const next = yield* runs.dequeue(run.chat_id, run.owner)
          if (Option.isSome(next)) yield* work(runs, next.value)
        })

      const asking = (runs: RunStore, chatId: string) =>
        Effect.gen(function* () {
          const { run } = yield* ask(runs, chatId, true)
          if (run.status === "running") yield* work(runs, run)
          return run.id
        })

      const changing = (runs: RunStore, chatId: string) =>
        Effect.gen(function* () {
          for (const { id } of yield* runs.queue(chatId)) {
            yield* runs.amend(id, { message: "rather", payload: "" })
            for (const run of yield* runs.cancel(chatId, id, "node-1")) {
              expect(over.has(run.id)).toBe(false)
              over.add(run.id)
            }
          }
        })

      const ids = yield* all(
        chats.flatMap((chatId) =>
          three.flatMap((runs) => [
            Effect.all(times(6, () => asking(runs, chatId))),
            Effect.as(Effect.repeatN(changing(runs, chatId), 5), [])
          ])
        )
      )
      // Whatever was left waiting has had its turn: each question was taken or cancelled, once.
      expect([...over].toSorted()).toEqual(ids.flat().toSorted())
      for (const chatId of chats) expect(yield* first.queue(chatId)).toEqual([])
      expect(yield* first.owners).toEqual([])
    })
)

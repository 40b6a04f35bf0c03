/** What the database knows of other nodes that told something in a chat while one node was to have it alone. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spokenSince } from "../../src/session/spokenSince.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { Runs } from "../../src/storage/Runs.ts"
import { done, freshId, itIs, question, someTime } from "../storage/suite/vocabulary.ts"

const self = "node-1"
const other = "node-2"
const before = someTime - 60_000
const after = someTime + 60_000

/** A chat that this node was given at `someTime`. */
const chat = Effect.gen(function* () {
  const runs = yield* Runs
  const chatId = freshId()
  const asked = (owner: string, startNow: boolean, onBusy: "enqueue" | "front" = "enqueue") =>
    Effect.map(
      runs.accept(question({ owner, session: { chatId }, entry: { startNow, onBusy, maxQueued: 100 } })),
      ({ run }) => run.id
    )
  const answered = (owner: string) => Effect.tap(asked(owner, true), (runId) => runs.finish(runId, done()))
  const isSpoken = (runId: string | null) =>
    spokenSince(runs, { chatId, self, since: new Date(someTime), runId })
  yield* itIs(before)
  yield* answered(other)
  yield* itIs(after)
  return { runs, chatId, asked, answered, isSpoken }
})

describe("nobody else has told anything", () => {
  it.effect("where all that others have run was over before", () =>
    Effect.gen(function* () {
      const { answered, isSpoken } = yield* chat
      expect(yield* isSpoken(yield* answered(self))).toBe(false)
      expect(yield* isSpoken(null)).toBe(false)
    }).pipe(Effect.provide(Memory))
  )

  it.effect("where a question that came to another node still waits", () =>
    Effect.gen(function* () {
      const { asked, isSpoken } = yield* chat
      const own = yield* asked(self, true)
      yield* asked(other, false)
      expect(yield* isSpoken(own)).toBe(false)
    }).pipe(Effect.provide(Memory))
  )
})

describe("another node has told something", () => {
  it.effect("where it has answered a later question, whatever its clock says", () =>
    Effect.gen(function* () {
      const { answered, isSpoken } = yield* chat
      const own = yield* answered(self)
      yield* itIs(before)
      yield* answered(other)
      expect(yield* isSpoken(own)).toBe(true)
    }).pipe(Effect.provide(Memory))
  )

  it.effect("where it has begun a question that was asked before and had to wait", () =>
    Effect.gen(function* () {
      const { runs, chatId, asked, isSpoken } = yield* chat
      yield* itIs(before)
      yield* asked(other, false)
      yield* itIs(after)
      const own = yield* asked(self, true, "front")
      yield* runs.dequeue(chatId, self)
      yield* runs.finish(own, done())
      expect(yield* isSpoken(own)).toBe(false)
      yield* runs.dequeue(chatId, other)
      expect(yield* isSpoken(own)).toBe(true)
    }).pipe(Effect.provide(Memory))
  )

  it.effect("where it has taken a question back that waited", () =>
    Effect.gen(function* () {
      const { runs, chatId, asked, isSpoken } = yield* chat
      yield* itIs(before)
      yield* asked(self, false)
      yield* itIs(after)
      expect(yield* isSpoken(null)).toBe(false)
      yield* runs.cancel(chatId, null, other)
      expect(yield* isSpoken(null)).toBe(true)
    }).pipe(Effect.provide(Memory))
  )

  it.effect("perhaps, where so much was run that this node's run is long ago", () =>
    Effect.gen(function* () {
      const { answered, isSpoken } = yield* chat
      const own = yield* answered(self)
      for (let i = 0; i < 19; i++) yield* answered(self)
      expect(yield* isSpoken(own)).toBe(false)
      yield* answered(self)
      expect(yield* isSpoken(own)).toBe(true)
    }).pipe(Effect.provide(Memory))
  )
})

/** Streams of events say the same however they are read, and whoever made them. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as FastCheck from "fast-check"
import { forEachEvent, these, unwrapped } from "../../src/protocol/eventStream.ts"

type Events = Stream.Stream<number, string>

/** Streams of all makes, one in the other, each with what it says. */
const anyEvents: FastCheck.Arbitrary<{ readonly events: Events; readonly says: ReadonlyArray<number> }> =
  FastCheck.letrec<{ whole: { events: Events; says: ReadonlyArray<number> } }>((tie) => ({
    whole: FastCheck.oneof(
      { maxDepth: 4 },
      FastCheck.array(FastCheck.nat(), { maxLength: 3 }).map((says) => ({ events: these(says), says })),
      FastCheck.array(FastCheck.nat(), { maxLength: 3 }).map((says) => ({
        events: Stream.fromIterable(says),
        says
      })),
      tie("whole").map(({ events, says }) => ({ events: unwrapped(Effect.succeed(events)), says })),
      tie("whole").map(({ events, says }) => ({
        events: unwrapped(Effect.as(Effect.yieldNow(), events)),
        says
      })),
      tie("whole").map(({ events, says }) => ({
        events: Stream.map(events, (event) => event + 1),
        says: says.map((event) => event + 1)
      })),
      FastCheck.tuple(tie("whole"), tie("whole")).map(([first, then]) => ({
        events: Stream.concat(first.events, then.events),
        says: [...first.says, ...then.says]
      }))
    )
  })).whole

const heard = (events: Events) => {
  const said: Array<number> = []
  return Effect.as(
    forEachEvent(events, (event) => Effect.sync(() => void said.push(event))),
    said
  )
}

describe("a stream of events", () => {
  it("is heard in its order, and by Stream's own operators too", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(anyEvents, async ({ events, says }) => {
        expect(await Effect.runPromise(heard(events))).toEqual(says)
        expect([...(await Effect.runPromise(Stream.runCollect(events)))]).toEqual(says)
      })
    ))

  it.effect("is asked for its next event when the last one is done with", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const events = unwrapped(
        Effect.sync(() => {
          order.push("made")
          return these([1, 2])
        })
      )
      yield* forEachEvent(events, (event) =>
        Effect.zipRight(
          Effect.sync(() => void order.push(`begin ${event}`)),
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => void order.push(`end ${event}`))
          )
        )
      )
      expect(order).toEqual(["made", "begin 1", "end 1", "begin 2", "end 2"])
    })
  )

  it.effect("fails as its effect fails, and as whoever hears it fails", () =>
    Effect.gen(function* () {
      expect(yield* Effect.exit(heard(unwrapped(Effect.fail("no"))))).toEqual(Exit.fail("no"))
      const deaf = forEachEvent(unwrapped(Effect.succeed(these([1]))), () => Effect.fail("deaf"))
      expect(yield* Effect.exit(deaf)).toEqual(Exit.fail("deaf"))
    })
  )

  it.effect("ends where its effect is interrupted", () =>
    Effect.gen(function* () {
      let undone = false
      const waits = Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          undone = true
        })
      )
      const fiber = yield* Effect.fork(heard(unwrapped(waits)))
      yield* Effect.yieldNow()
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(undone).toBe(true)
    })
  )
})

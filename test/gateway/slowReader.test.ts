import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { flowIds } from "../support/apps.ts"
import { isClose, streamed } from "../support/client.ts"
import { startServer } from "../support/server.ts"

/** What the kernel takes of a peer that does not read is not the server's. */
const words = 88_000

/** Three bytes a character, so that an answer of the greatest length is more than enough. */
const filling = "汉".repeat(40)

it.scopedLive(
  "a slow reader costs its buffer and nothing else: others go on, and it gets the whole text when it reads",
  () =>
    Effect.gen(function* () {
      const { connect, gate, lines } = yield* startServer()
      const slow = yield* connect(flowIds.gated, { chat: "c1", query: "&native=1" })
      const [line] = lines()
      const quick = yield* connect(flowIds.gated, { chat: "c1", query: "&native=1" })
      if (line === undefined) throw new Error("the server has no connection")
      yield* quick.say({ inputs: { input: "go" } })
      yield* gate(0).begun
      slow.ws.pause()
      let kept = 0
      let read = 0
      let chars = 0
      const heard = () => {
        for (; read < quick.frames.length; read++)
          chars += streamed(quick.frames.slice(read, read + 1)).length
        return chars
      }
      let told = ""
      for (let i = 0; i < words; ) {
        const turn: Array<string> = []
        while (turn.length < 400) turn.push(`${i++} ${filling}`)
        const text = turn.join("")
        told += text
        yield* gate(0).text(text)
        yield* quick.until(() => heard() === told.length, "all that was said")
        kept = Math.max(kept, line.writableLength)
      }
      expect(kept).toBeGreaterThan(0)
      expect(kept).toBeLessThanOrEqual(256 * 1024)
      yield* gate(0).finish
      yield* quick.until(isClose)
      expect(streamed(quick.frames) === told).toBe(true)
      expect(slow.frames.some(isClose)).toBe(false)
      // It reads a little at a time.
      yield* Effect.sync(() => {
        slow.ws.resume()
        slow.ws.pause()
      }).pipe(Effect.repeat(Schedule.intersect(Schedule.spaced("1 millis"), Schedule.recurs(200))))
      slow.ws.resume()
      yield* slow.until(isClose)
      expect(streamed(slow.frames) === told).toBe(true)
      // Behind as it was, it got many deltas in few frames.
      expect(slow.frames.length).toBeLessThan(quick.frames.length)
      expect(slow.ws.readyState).toBe(slow.ws.OPEN)
    }),
  { timeout: 60_000 }
)

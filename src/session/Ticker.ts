/**
 * Once a turn of the event loop, every log that changed is delivered. This is what turns many deltas into one
 * frame and many frames into one write, and it is why a token costs no timer and no fiber.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { FrameLog } from "./FrameLog.ts"

export interface TickerService {
  readonly schedule: (log: FrameLog) => void
}

export class Ticker extends Context.Tag("colloquy/Ticker")<Ticker, TickerService>() {
  static readonly Live = Layer.sync(Ticker, () => {
    let dirty = new Set<FrameLog>()
    let scheduled = false
    const deliver = () => {
      scheduled = false
      const logs = dirty
      dirty = new Set()
      for (const log of logs) log.flush()
    }
    return {
      schedule: (log) => {
        dirty.add(log)
        if (scheduled) return
        scheduled = true
        setImmediate(deliver)
      }
    }
  })
}

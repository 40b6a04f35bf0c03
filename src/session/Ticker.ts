/**
 * Once a turn of the event loop, every log that changed is delivered. This is what turns many deltas into one
 * frame and many frames into one write, and it is why a token costs no timer and no fiber. Where this process is
 * busy, text that goes on waits until the window is over; what is read in the turn after that leaves with it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Pace, type PaceService } from "../Pace.ts"
import type { FrameLog } from "./FrameLog.ts"

export interface TickerService {
  /** Flushes the log in this turn; only more of a text when the window is over, if there is one. */
  readonly schedule: (log: FrameLog, isMoreText: boolean) => void
}

type Later = (then: () => void) => unknown

export class Ticker extends Context.Tag("colloquy/Ticker")<Ticker, TickerService>() {
  static readonly Live = Layer.effect(
    Ticker,
    Effect.map(Pace, (pace) => ticker(pace, setImmediate))
  )
}

/** `atTurnsEnd` calls once the sockets that have something to say were read. */
export const ticker = (pace: PaceService, atTurnsEnd: Later): TickerService => {
  const turn = gathering(atTurnsEnd)
  const window = gathering((then) => pace.wait(() => atTurnsEnd(then)))
  return {
    schedule: (log, isMoreText) => (isMoreText && pace.window() > 0 ? window(log) : turn(log))
  }
}

/**
 * Delivers every log it was given when the time has come. One that comes again after others is delivered twice, which finds
 * nothing the second time: that is less than a set of them costs, of which a turn at leisure would make one for each token.
 */
const gathering = (whenItIsTime: Later) => {
  let dirty: Array<FrameLog> = []
  const deliver = () => {
    const logs = dirty
    dirty = []
    for (const log of logs) log.flush()
  }
  return (log: FrameLog): void => {
    if (dirty[dirty.length - 1] === log) return
    dirty.push(log)
    if (dirty.length === 1) whenItIsTime(deliver)
  }
}

/** A process that is never busy, however many tests it runs: text leaves in the turn in which it comes. */
import * as Layer from "effect/Layer"
import { Pace } from "../../src/Pace.ts"
import { Ticker } from "../../src/session/Ticker.ts"

export const TickerAtLeisure = Layer.provide(
  Ticker.Live,
  Layer.succeed(Pace, { window: () => 0, wait: (then) => then() })
)

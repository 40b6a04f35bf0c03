/** A kind of app of your own: any Stream of run events. This one counts down, and can be stopped. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { App } from "../../src/app/App.ts"
import { Catalogue } from "../../src/app/Catalogue.ts"
import { noUsage, type RunEvent } from "../../src/protocol/RunEvent.ts"

export const countdownId = "c0de".repeat(8)

const countdown: App = {
  flowId: countdownId,
  flowType: 5,
  kind: "assistant",
  name: "Countdown",
  onDisconnect: "continue",
  inputKey: "input",
  answer: ({ text }) => {
    const numbers = Stream.range(1, Number(text) || 3).pipe(
      Stream.map((n): RunEvent => ({ _tag: "TextDelta", text: `${n}… ` })),
      Stream.tap(() => Effect.yieldNow())
    )
    const end: RunEvent = { _tag: "Answered", text: "Lift-off!", source: 0, passages: [], usage: noUsage }
    return Stream.concat(numbers, Stream.make(end))
  }
}

/** Beside the apps that the database knows: give it to the server in place of the catalogue it wraps. */
export const withCountdown = Layer.effect(
  Catalogue,
  Effect.map(Catalogue, (stored) => ({
    ...stored,
    open: (flowId) => (flowId === countdownId ? Effect.succeed(countdown) : stored.open(flowId))
  }))
)

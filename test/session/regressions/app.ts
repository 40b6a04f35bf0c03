/**
 * An app that does as it is told: "say" answers what it was asked, in two pieces a little apart, "hang" goes on
 * streaming until it is stopped, "wait" asks the person and answers the reply.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { Answering, App } from "../../../src/app/App.ts"
import { Deltas, noUsage, type RunEvent } from "../../../src/protocol/RunEvent.ts"

/** Between the two pieces. */
const pause = "100 millis"

export const obedientApp: App = {
  flowId: "a".repeat(32),
  flowType: 5,
  kind: "assistant",
  name: "Echo",
  onDisconnect: "continue",
  inputKey: "input",
  answer: ({ text }) => answer(text),
  resume: {
    accept: (_state, { body }) => Either.right({ text: String(body) }),
    run: (_state, { body }) => answer(String(body))
  }
}

const answer = (text: string): Answering =>
  Stream.unwrap(
    Effect.map(Deltas, (sink) => {
      const half = Math.ceil(text.length / 2)
      const pieces = Effect.gen(function* () {
        sink.text(text.slice(0, half))
        yield* text.startsWith("hang") ? Effect.never : Effect.sleep(pause)
        sink.text(text.slice(half))
      })
      return Stream.concat(Stream.drain(Stream.fromEffect(pieces)), Stream.fromIterable(ending(text)))
    })
  )

const ending = (text: string): ReadonlyArray<RunEvent> =>
  text.startsWith("wait")
    ? [
        { _tag: "Utterance", text, sender: "Echo", receiver: { name: "you", isSelf: true } },
        { _tag: "Waiting", state: { text } }
      ]
    : [{ _tag: "Answered", text, source: 0, passages: [], usage: noUsage }]

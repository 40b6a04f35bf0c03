/**
 * An app that does as it is told: "say" answers what it was asked, in two pieces a little apart, "spell" letter by letter,
 * "hang" goes on streaming until it is stopped, "wait" asks the person and answers the reply.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { Answering, App } from "../../../src/app/App.ts"
import { Deltas, noUsage, type RunEvent } from "../../../src/protocol/RunEvent.ts"

/** Between two pieces. */
const pause = "100 millis"

/** Its answer as it is told when nothing goes wrong, in short. */
export const wholeAnswer = [
  "begin processing",
  "start processing",
  "stream processing",
  "end processing",
  "start answer",
  "end_cover answer",
  "close processing"
]

export const obedientApp: App = {
  flowId: "a".repeat(32),
  flowType: 5,
  kind: "assistant",
  name: "Echo",
  onDisconnect: "continue",
  inputKey: "input",
  asksModelFirst: true,
  answer: ({ text }) => answer(text),
  resume: {
    accept: (_state, { body }) => Either.right({ text: String(body) }),
    run: (_state, { body }) => answer(String(body))
  }
}

const answer = (text: string): Answering =>
  Stream.unwrap(
    Effect.map(Deltas, (sink) => {
      const pieces = Effect.gen(function* () {
        const [first = "", ...rest] = piecesOf(text)
        sink.text(first)
        for (const piece of rest) {
          yield* text.startsWith("hang") ? Effect.never : Effect.sleep(pause)
          sink.text(piece)
        }
      })
      return Stream.concat(Stream.drain(Stream.fromEffect(pieces)), Stream.fromIterable(ending(text)))
    })
  )

const piecesOf = (text: string): ReadonlyArray<string> => {
  if (text.startsWith("spell")) return [...text]
  const half = Math.ceil(text.length / 2)
  return [text.slice(0, half), text.slice(half)]
}

const ending = (text: string): ReadonlyArray<RunEvent> =>
  text.startsWith("wait")
    ? [
        { _tag: "Utterance", text, sender: "Echo", receiver: { name: "you", isSelf: true } },
        { _tag: "Waiting", state: { text } }
      ]
    : [{ _tag: "Answered", text, source: 0, passages: [], usage: noUsage }]

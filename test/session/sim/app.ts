/**
 * An app whose first word says what becomes of the question: "say" streams it back, in pieces, "tool" calls a tool before,
 * "fail" and "die" break off, "wait" asks the person and goes on with the reply. Its pace is drawn.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { Answering, App } from "../../../src/app/App.ts"
import { RunFailed } from "../../../src/protocol/errors.ts"
import { Deltas, noUsage, type RunEvent } from "../../../src/protocol/RunEvent.ts"
import type { World } from "./VirtualTime.ts"

export const simApp = (world: World, flowId: string, onDisconnect: App["onDisconnect"]): App => ({
  flowId,
  flowType: 5,
  kind: "assistant",
  name: "Echo",
  onDisconnect,
  inputKey: "input",
  asksModelFirst: true,
  answer: ({ text }) => answer(world, text),
  resume: {
    accept: (_state, { body }) =>
      typeof body === "string" && body !== "nonsense"
        ? Either.right({ text: body })
        : Either.left("nonsense"),
    run: (_state, { body }) => answer(world, String(body))
  }
})

const tool: ReadonlyArray<RunEvent> = [
  { _tag: "ToolStarted", id: "t", category: "tool", name: "x", input: "{}", callId: "c", turn: 0 },
  { _tag: "ToolEnded", id: "t", output: "1", failed: false }
]

const answer = (world: World, text: string): Answering =>
  Stream.unwrap(
    Effect.map(Deltas, (sink) => {
      const slowest = world.oneOf([0, 0, 5, 50, 400])
      const pause = Effect.suspend(() =>
        world.chance(0.5) ? Effect.yieldNow() : Effect.sleep(world.between(0, slowest))
      )
      const pieces = Effect.forEach(
        inPieces(world, text),
        (piece) =>
          Effect.map(pause, () => {
            sink.text(piece)
          }),
        { discard: true }
      )
      const before = text.startsWith("tool") ? Stream.fromIterable(tool) : Stream.empty
      return Stream.concat(before, Stream.concat(Stream.drain(Stream.fromEffect(pieces)), ending(text)))
    })
  )

/** A letter, or a few. */
const inPieces = (world: World, text: string): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  for (let from = 0; from < text.length; ) {
    const to = from + world.between(1, 5)
    pieces.push(text.slice(from, to))
    from = to
  }
  return pieces
}

const ending = (text: string): Stream.Stream<RunEvent, RunFailed> => {
  const [kind] = text.split(" ")
  switch (kind) {
    case "fail":
      return Stream.fail(new RunFailed({ reason: "told to", kind: "assistant" }))
    case "die":
      return Stream.dieMessage("told to")
    case "wait":
      return Stream.make<[RunEvent, RunEvent]>(
        { _tag: "Utterance", text, sender: "Echo", receiver: { name: "you", isSelf: true } },
        { _tag: "Waiting", state: { text } }
      )
    default:
      return Stream.make<[RunEvent]>({ _tag: "Answered", text, source: 0, passages: [], usage: noUsage })
  }
}

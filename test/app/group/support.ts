/** Group chats for tests: who takes part, and all that a chat comes to. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { Answering, Question } from "../../../src/app/App.ts"
import type { Cast } from "../../../src/app/group/Cast.ts"
import { makeGroupChat } from "../../../src/app/group/GroupChat.ts"
import type { ModelPart, ParticipantPart } from "../../../src/app/skill/Part.ts"
import { Deltas, type RunEvent } from "../../../src/protocol/RunEvent.ts"
import { makeTranscript, type ScriptedModel } from "../scriptedModel.ts"

const model: ModelPart = { _tag: "Model", name: "m", temperature: 0.5, topP: null, streaming: true }

export const assistant = (name: string, more: Partial<ParticipantPart> = {}): ParticipantPart => ({
  _tag: "Participant",
  name,
  instruction: `I am ${name}.`,
  model,
  tools: [],
  group: null,
  ...more
})

export const person = (name: string, asked: ParticipantPart["asked"] = "always"): ParticipantPart =>
  assistant(name, { model: null, instruction: "", ...(asked === undefined ? {} : { asked }) })

export const castOf = (
  participants: readonly [ParticipantPart, ...ReadonlyArray<ParticipantPart>],
  more: Partial<Cast> = {}
): Cast => ({
  opener: participants[0],
  participants,
  manager: assistant("Boss", { instruction: "Lead." }),
  maxRounds: 50,
  ...more
})

export const question = (text: string, history: Question["history"] = []): Question => ({
  text,
  inputs: {},
  userId: 7,
  history
})

export const groupOf = (cast: Cast, scripted: ScriptedModel) =>
  makeGroupChat({ cast, model: scripted.service, flowId: "g" })

const told = (event: RunEvent): string | null => {
  switch (event._tag) {
    case "Utterance": {
      const to =
        event.receiver === null ? "all" : `${event.receiver.name}${event.receiver.isSelf ? " (you)" : ""}`
      return `${event.sender} to ${to}: ${event.text}`
    }
    case "Divider":
      return event.text
    case "ToolStarted":
      return `tool ${event.name} ${event.input}`
    case "ToolEnded":
      return `brought ${event.output}`
    case "Finished":
      return `finished ${event.usage.promptTokens}/${event.usage.completionTokens}`
    case "OnStop":
      return null
    default:
      return event._tag
  }
}

/** In order: what streamed and what was told; how it failed; and what a waiting run keeps, as JSON text. */
export const heardOf = (answering: Answering) =>
  Effect.gen(function* () {
    const { lines, sink } = makeTranscript()
    let state: string | null = null
    const ended = yield* Stream.runForEach(answering, (event) =>
      Effect.sync(() => {
        if (event._tag === "Waiting") state = JSON.stringify(event.state)
        const line = told(event)
        if (line !== null) lines.push(line)
      })
    ).pipe(Effect.provideService(Deltas, sink), Effect.either)
    if (Either.isLeft(ended)) lines.push(`${ended.left.kind} failed: ${ended.left.reason}`)
    return { lines, state: readState(state) }
  })

const readState = (text: string | null): unknown => (text === null ? null : JSON.parse(text))

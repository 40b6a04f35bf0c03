/** One participant's turn: what it does on the way is told, what it says at last is handed on. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { LanguageModelService } from "../../model/LanguageModel.ts"
import type { RunFailed } from "../../protocol/errors.ts"
import type { RunEvent, Usage } from "../../protocol/RunEvent.ts"
import type { Answering, Question } from "../App.ts"
import { converse } from "../assistant/converse.ts"
import { skillFailed } from "../skill/chain.ts"
import type { ParticipantPart } from "../skill/Part.ts"
import type { Cast } from "./Cast.ts"
import { tuned } from "./choose.ts"
import type { Talk } from "./Talk.ts"
import { messagesFor } from "./words.ts"

export interface Speech {
  readonly text: string
  readonly usage: Usage
}

export interface Stage {
  readonly cast: Cast
  readonly model: LanguageModelService
  readonly flowId: string
}

/** `then` is what follows once it has spoken. */
export const speak = (
  stage: Stage,
  speaker: ParticipantPart,
  talk: Talk,
  question: Question,
  then: (speech: Speech) => Answering
): Answering =>
  Stream.suspend(() => {
    let speech: Speech | null = null
    const events = turn(stage, speaker, talk, question).pipe(
      Stream.filterMapEffect((event): Option.Option<Effect.Effect<RunEvent, RunFailed>> => {
        if (event._tag === "Answered") {
          speech = { text: event.text, usage: event.usage }
          return Option.none()
        }
        return event._tag === "Waiting" || event._tag === "Finished"
          ? Option.some(Effect.fail(skillFailed(`"${speaker.name}" has no answer of its own to give`)))
          : Option.some(Effect.succeed(event))
      })
    )
    const after = Stream.suspend(() =>
      speech === null ? Stream.fail(skillFailed(`"${speaker.name}" said nothing`)) : then(speech)
    )
    return Stream.concat(events, after)
  })

const turn = (stage: Stage, speaker: ParticipantPart, talk: Talk, question: Question): Answering => {
  if (speaker.chain !== undefined) {
    const text = talk.said.at(-1)?.text ?? question.text
    return speaker.chain.answer({ text, inputs: {}, userId: question.userId, history: [] })
  }
  if (speaker.model === null) return Stream.fail(skillFailed(`"${speaker.name}" is a person`))
  return converse({
    model: tuned(stage.model, speaker.model),
    modelName: speaker.model.name,
    temperature: speaker.model.temperature,
    tools: new Map(speaker.tools.map((tool) => [tool.spec.name, tool])),
    scope: { flowId: stage.flowId, userId: question.userId },
    messages: messagesFor(stage.cast, speaker, talk, question.history)
  }).pipe(Stream.mapError(({ reason }) => skillFailed(reason)))
}

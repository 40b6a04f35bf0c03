/** Who has the word next. */
import * as Effect from "effect/Effect"
import type { LanguageModelService } from "../../model/LanguageModel.ts"
import type { RunFailed } from "../../protocol/errors.ts"
import { noUsage, silent, type Usage } from "../../protocol/RunEvent.ts"
import { skillFailed } from "../skill/chain.ts"
import type { ModelPart, ParticipantPart } from "../skill/Part.ts"
import { type Cast, mayBeGivenTheWord } from "./Cast.ts"
import type { Talk } from "./Talk.ts"
import { choiceFor } from "./words.ts"

export interface Choice {
  /** null: nobody has anything to say. */
  readonly next: ParticipantPart | null
  readonly usage: Usage
}

/**
 * Nobody speaks twice in a row. Where several may speak, the manager's model says who; where it names nobody, or
 * several, they take turns.
 */
export const choose = (
  cast: Cast,
  talk: Talk,
  model: LanguageModelService,
  scope: { readonly flowId: string; readonly userId: number }
): Effect.Effect<Choice, RunFailed> => {
  const candidates = cast.participants.filter((one) => one.name !== talk.last && mayBeGivenTheWord(one))
  const inTurn = nextInTurn(cast.participants, candidates, talk.last)
  const { manager } = cast
  const leader = manager?.model ?? null
  if (candidates.length < 2 || manager === null || leader === null) {
    return Effect.succeed({ next: inTurn, usage: noUsage })
  }
  return tuned(model, leader)
    .generate(
      {
        model: leader.name,
        temperature: leader.temperature,
        messages: choiceFor(manager, candidates, talk),
        tools: [],
        scope
      },
      silent
    )
    .pipe(
      Effect.mapError(({ reason }) => skillFailed(reason)),
      Effect.map(({ text, usage }) => ({ next: named(text, candidates) ?? inTurn, usage }))
    )
}

/** The same model, asked with what its node says beside temperature. */
export const tuned = (model: LanguageModelService, { topP, streaming }: ModelPart): LanguageModelService => ({
  label: model.label,
  generate: (request, sink) => model.generate({ ...request, topP, streaming }, sink)
})

/** The first candidate after whoever spoke last. */
const nextInTurn = (
  participants: ReadonlyArray<ParticipantPart>,
  candidates: ReadonlyArray<ParticipantPart>,
  last: string
): ParticipantPart | null => {
  const at = participants.findIndex(({ name }) => name === last)
  const after = [...participants.slice(at + 1), ...participants.slice(0, at + 1)]
  return after.find((one) => candidates.includes(one)) ?? null
}

/** The one candidate that a reply names; null: none, or more than one. */
export const named = (reply: string, candidates: ReadonlyArray<ParticipantPart>): ParticipantPart | null => {
  // A longer name may hold a shorter one.
  const byLength = candidates.toSorted((a, b) => b.name.length - a.name.length)
  let rest = reply
  const found: Array<ParticipantPart> = []
  for (const candidate of byLength) {
    const pattern = mention(candidate.name)
    const without = rest.replace(pattern, " ")
    if (without !== rest) found.push(candidate)
    rest = without
  }
  const [only] = found
  return found.length === 1 && only !== undefined ? only : null
}

/** Names in letters with spaces between words must stand alone; Chinese ones stand in the text as they are. */
const mention = (name: string): RegExp => {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  return new RegExp(`(?<!${edge(name.at(0))})${literal}(?!${edge(name.at(-1))})`, "gi")
}

const edge = (character: string | undefined): string =>
  character !== undefined && /\w/.test(character) ? "\\w" : "(?!)"

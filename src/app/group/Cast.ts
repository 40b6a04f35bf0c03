/** Who takes part in a group chat, and who leads it. */
import type { ParticipantPart } from "../skill/Part.ts"

export interface Cast {
  /** The person who asks the question. One of the participants. */
  readonly opener: ParticipantPart
  /** In the order in which they have the word where nobody leads. */
  readonly participants: ReadonlyArray<ParticipantPart>
  /** null: they take turns. */
  readonly manager: ParticipantPart | null
  /** How many times somebody has the word before a round is over, the question included. */
  readonly maxRounds: number
}

export const maxParticipants = 16

export const longestRound = 50

export const isPerson = (participant: ParticipantPart): boolean =>
  participant.model === null && participant.chain === undefined

/** People who must not be asked within a round are asked at its end, or never. */
export const mayBeGivenTheWord = (participant: ParticipantPart): boolean =>
  !isPerson(participant) || (participant.asked ?? "always") === "always"

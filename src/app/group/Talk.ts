/** What has been said in a group chat so far: what a run that waits for a person keeps, and its Schema. */
import * as Schema from "effect/Schema"
import type { Json } from "../../protocol/frames.ts"
import type { Usage } from "../../protocol/RunEvent.ts"

const Said = Schema.Struct({ name: Schema.String, text: Schema.String })

export type Said = typeof Said.Type

const Talk = Schema.Struct({
  /** Oldest first; the question is always kept, what was said long ago is not. */
  said: Schema.Array(Said),
  /** Who had the word last, whether they used it or not. */
  last: Schema.String,
  rounds: Schema.NonNegativeInt,
  usage: Schema.Struct({ promptTokens: Schema.NonNegativeInt, completionTokens: Schema.NonNegativeInt })
})

export type Talk = typeof Talk.Type

/** A chat that waits for a person. */
export const Paused = Schema.Struct({
  version: Schema.Literal(1),
  talk: Talk,
  /** The person who has the word. */
  waits: Schema.String,
  /** The round is over: only what they say begins another. */
  over: Schema.Boolean
})

export type Paused = typeof Paused.Type

export const decodePaused = Schema.decodeUnknownEither(Paused)

/** As it is kept with the run. */
export const keptPaused = ({ version, talk, waits, over }: Paused): Json => ({
  version,
  talk: {
    said: talk.said.map(({ name, text }) => ({ name, text })),
    last: talk.last,
    rounds: talk.rounds,
    usage: { promptTokens: talk.usage.promptTokens, completionTokens: talk.usage.completionTokens }
  },
  waits,
  over
})

/** In UTF-16 units: what models read of the chat, and what a waiting run keeps. */
export const maxTranscript = 64 * 1024
export const maxSaid = 16 * 1024

export const opened = (name: string, question: string): Talk =>
  heard({ said: [], last: name, rounds: 0, usage: { promptTokens: 0, completionTokens: 0 } }, name, question)

/** Somebody has said something. */
export const heard = (talk: Talk, name: string, text: string, usage?: Usage): Talk => ({
  said: bounded([...talk.said, { name, text: cut(text) }]),
  last: name,
  rounds: talk.rounds + 1,
  usage: {
    promptTokens: talk.usage.promptTokens + (usage?.promptTokens ?? 0),
    completionTokens: talk.usage.completionTokens + (usage?.completionTokens ?? 0)
  }
})

/** Somebody had the word and did not use it. */
export const passed = (talk: Talk, name: string): Talk => ({ ...talk, last: name, rounds: talk.rounds + 1 })

export const withUsage = (talk: Talk, usage: Usage): Talk => ({
  ...talk,
  usage: {
    promptTokens: talk.usage.promptTokens + usage.promptTokens,
    completionTokens: talk.usage.completionTokens + usage.completionTokens
  }
})

const bounded = (said: ReadonlyArray<Said>): ReadonlyArray<Said> => {
  const [first, ...later] = said
  if (first === undefined) return said
  let left = maxTranscript - first.text.length
  let from = later.length
  for (; from > 0; from--) {
    const length = later[from - 1]?.text.length ?? 0
    if (length > left) break
    left -= length
  }
  return [first, ...later.slice(from)]
}

const cutMark = "\n… (cut here)"

/** Not between the halves of a character. */
const cut = (text: string): string => {
  if (text.length <= maxSaid) return text
  const end = maxSaid - cutMark.length
  const unit = text.charCodeAt(end - 1)
  return text.slice(0, unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end) + cutMark
}

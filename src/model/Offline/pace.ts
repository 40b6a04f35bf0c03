/**
 * Streams a text as a person would read it aloud: word by word, about 30 a second, a little uneven, with a
 * short rest at commas and a longer one at the end of a sentence.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { pieces } from "../words.ts"

const wordMillis = 24
const commaMillis = 45
const stopMillis = 100
/** However long a text is: nobody waits for a machine that could be faster. */
const wholeMillis = 3_000

export const paced = (text: string, emit: (piece: string) => void): Effect.Effect<void> => {
  const all = pieces(text)
  const unhurried = all.reduce((sum, piece) => sum + wordMillis + restAfter(piece), 0)
  const haste = Math.min(1, wholeMillis / Math.max(1, unhurried))
  return Effect.forEach(
    all,
    (piece) =>
      Effect.gen(function* () {
        const unevenness = yield* Random.nextRange(0.75, 1.25)
        yield* Effect.sleep(wordMillis * unevenness * haste)
        emit(piece)
        const rest = restAfter(piece) * haste
        if (rest > 0) yield* Effect.sleep(rest)
      }),
    { discard: true }
  )
}

const restAfter = (piece: string): number => {
  if (/[.!?。！？…]["'”’)*]*\s*$|\n\s*$/.test(piece)) return stopMillis
  return /[,;:，；：、]\s*$/.test(piece) ? commaMillis : 0
}

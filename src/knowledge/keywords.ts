/** The words that an answer is about, by which people find in the sources what it rests on. */
import { pieces, terms } from "../model/words.ts"

const usualCount = 10
/** Long enough for any answer's words to have come up. */
const maxChars = 20_000

interface Word {
  /** As it first stood in the answer. */
  readonly text: string
  count: number
  readonly first: number
}

/**
 * The answer's most telling words, best first, as they stand in it: those that it repeats, and before all those
 * that the question or the passages have too. The same for the same texts.
 */
export const keywordsOf = (
  answer: string,
  { question = "", passages = [] }: { question?: string; passages?: ReadonlyArray<string> } = {},
  count = usualCount
): ReadonlyArray<string> => {
  const words = wordsOf(answer)
  const asked = new Set(terms(question.slice(0, maxChars)))
  const held = new Set(passages.flatMap((passage) => terms(passage.slice(0, maxChars))))
  const weight = ([term, word]: readonly [string, Word]): number =>
    Math.min(word.count, 4) +
    (asked.has(term) ? 2 : 0) +
    (held.has(term) ? 3 : 0) +
    Math.min(term.length, 8) / 8
  return [...words]
    .map((entry) => ({ word: entry[1], weight: weight(entry) }))
    .sort((left, right) => right.weight - left.weight || left.word.first - right.word.first)
    .slice(0, count)
    .map(({ word }) => word.text)
}

/** By what they are for the search, in the order of their first appearance. */
const wordsOf = (text: string): ReadonlyMap<string, Word> => {
  const words = new Map<string, Word>()
  pieces(text.slice(0, maxChars)).forEach((piece, first) => {
    const shown = piece.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}%]+$/gu, "")
    // A single letter or character says little, and is found everywhere.
    if ([...shown].length < 2) return
    const term = terms(shown)[0]
    if (term === undefined) return
    const known = words.get(term)
    if (known === undefined) words.set(term, { text: shown, count: 1, first })
    else known.count++
  })
  return words
}

/** How many of the words a text has, from 0 to 1. None wanted: 0. */
export const shareOf = (keys: ReadonlyArray<string>, text: string): number => {
  const wanted = [...new Set(keys.map(folded))].filter((key) => key !== "")
  if (wanted.length === 0) return 0
  const whole = folded(text)
  const held = new Set(terms(text))
  const isFound = (key: string): boolean => {
    if (whole.includes(key)) return true
    const parts = terms(key)
    return parts.length > 0 && parts.every((part) => held.has(part))
  }
  return wanted.filter(isFound).length / wanted.length
}

const folded = (text: string): string => text.normalize("NFKC").toLowerCase().trim()

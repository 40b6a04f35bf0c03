/** Full-text search over passages: BM25 by MiniSearch, and a floor below which nothing counts as found. */
import * as Effect from "effect/Effect"
import MiniSearch from "minisearch"
import { terms } from "../model/words.ts"

export interface IndexedPassage {
  readonly fileId: string
  readonly fileName: string
  readonly heading: string
  readonly text: string
}

export interface Found<P = IndexedPassage> {
  readonly passage: P
  readonly score: number
  /** How much of what the question is about the passage holds, at most 1. */
  readonly coverage: number
}

export interface SearchIndex<P = IndexedPassage> {
  /** Best first. Empty where no passage holds enough of what the question is about. */
  readonly search: (question: string, limit: number) => ReadonlyArray<Found<P>>
}

/**
 * How much of a question a passage must hold to count as found: each word weighs by its rarity, and a word that
 * no passage holds weighs most. So "today" alone does not make a passage an answer to a question on the weather.
 */
const coverageFloor = 0.34
/** Rarity means little among few passages: there, words are weighed as if there were so many. */
const fewPassages = 100
const maxQuestionTerms = 32
/** Passages indexed before others get their turn: about 5 ms. */
const batchSize = 32

export const buildIndex = <P extends IndexedPassage>(
  passages: ReadonlyArray<P>
): Effect.Effect<SearchIndex<P>> =>
  Effect.gen(function* () {
    // Words are cut once, here; MiniSearch gets them joined by spaces.
    const index = new MiniSearch<{ id: number; name: string; heading: string; text: string }>({
      fields: ["text", "heading", "name"],
      tokenize: (text) => (text === "" ? [] : text.split(" ")),
      processTerm: (term) => term
    })
    const holding = new Map<string, number>()
    for (let from = 0; from < passages.length; from += batchSize) {
      passages.slice(from, from + batchSize).forEach((passage, at) => {
        const words = {
          text: terms(passage.text),
          heading: terms(passage.heading),
          name: terms(passage.fileName)
        }
        for (const word of new Set([...words.text, ...words.heading, ...words.name])) {
          holding.set(word, (holding.get(word) ?? 0) + 1)
        }
        index.add({
          id: from + at,
          text: words.text.join(" "),
          heading: words.heading.join(" "),
          name: words.name.join(" ")
        })
      })
      yield* othersFirst
    }

    const total = Math.max(passages.length, fewPassages)
    const rarity = (word: string): number => {
      const held = holding.get(word) ?? 0
      return Math.log(1 + (total - held + 0.5) / (held + 0.5))
    }
    const sum = (words: Iterable<string>): number => {
      let whole = 0
      for (const word of words) whole += rarity(word)
      return whole
    }

    return {
      search: (question, limit) => {
        const wanted = [...new Set(terms(question.slice(0, 2_000)))].slice(0, maxQuestionTerms)
        if (wanted.length === 0) return []
        const whole = sum(wanted)
        return index
          .search(wanted.join(" "), {
            boost: { heading: 2, name: 1.5 },
            prefix: (term) => /^[a-z]{5,}$/.test(term),
            // A word nobody wrote may be a slip of the keyboard.
            fuzzy: (term) => (/^[a-z]{6,}$/.test(term) && !holding.has(term) ? 1 : false),
            weights: { prefix: 0.4, fuzzy: 0.3 }
          })
          .map((hit) => ({ hit, coverage: sum(new Set(hit.queryTerms)) / whole }))
          .filter(({ coverage }) => coverage >= coverageFloor)
          .map(({ hit, coverage }) => ({ id: Number(hit.id), score: hit.score * coverage, coverage }))
          .sort((left, right) => right.score - left.score)
          .slice(0, limit)
          .flatMap(({ id, ...how }) => {
            const passage = passages[id]
            return passage === undefined ? [] : [{ passage, ...how }]
          })
      }
    }
  })

/** Lets sockets be served between two batches: a fiber's own yield does not let the event loop turn. */
const othersFirst = Effect.async<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

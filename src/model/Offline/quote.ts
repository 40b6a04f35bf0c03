/** The sentences of a text that fit a question, in the text's order and of a bounded length. */
import { terms } from "../words.ts"
import { type Sentence, sentencesOf } from "./sentences.ts"

export interface Quotation {
  readonly text: string
  /** What the text names as its source; empty: nothing. */
  readonly source: string
}

export interface Quoted {
  readonly quotations: ReadonlyArray<Quotation>
  /** The share of the question's words that stand in the quotations, 0 to 1; 0: nothing fits. */
  readonly fit: number
}

const maxSentences = 6
const maxChars = 1_200
const maxOpening = 600
const maxWanted = 64
/** Much weaker sentences than the best one are left out. */
const weakest = 0.4

export const quote = (material: string, question: string): Quoted => {
  const sentences = sentencesOf(material)
  const byWords = scored(sentences, question, terms)
  // Two texts may cut the same Chinese into different words: then pairs of characters tell more.
  return byWords.fit > 0 ? byWords : scored(sentences, question, pairs)
}

/** Where nothing is asked, or nothing fits: how the text begins. */
export const opening = (material: string): ReadonlyArray<Quotation> => {
  const sentences = sentencesOf(material)
  let chars = 0
  const end = sentences.findIndex(({ text }) => {
    chars += text.length
    return chars > maxOpening
  })
  return together(end === -1 ? sentences : sentences.slice(0, Math.max(1, end)))
}

/** What the text says in short: the sentences with its commonest words, the first ones before the later. */
export const gist = (material: string): ReadonlyArray<Quotation> => {
  const sentences = unique(sentencesOf(material))
  const words = sentences.map(({ text }) => new Set(terms(text)))
  const counts = new Map<string, number>()
  for (const set of words) for (const word of set) counts.set(word, (counts.get(word) ?? 0) + 1)
  const marks = words.map((set, at) => {
    if (set.size < 3) return 0
    let sum = 0
    for (const word of set) sum += (counts.get(word) ?? 1) - 1
    return (sum + 1) / Math.sqrt(set.size) + (at === 0 ? 2 : 0)
  })
  const picked = best(sentences, marks, 0)
  return picked.length === 0 ? opening(material) : together(picked)
}

const scored = (
  sentences: ReadonlyArray<Sentence>,
  question: string,
  cut: (text: string) => ReadonlyArray<string>
): Quoted => {
  const wanted = new Set([...new Set(cut(question))].slice(0, maxWanted))
  if (wanted.size === 0) return { quotations: [], fit: 0 }
  const all = unique(sentences)
  const hits = all.map(({ text }) => new Set(cut(text).filter((word) => wanted.has(word))))
  const counts = new Map<string, number>()
  for (const set of hits) for (const word of set) counts.set(word, (counts.get(word) ?? 0) + 1)
  const marks = hits.map((set) => {
    let sum = 0
    for (const word of set) sum += Math.log(1 + all.length / (counts.get(word) ?? 1))
    return sum
  })
  const picked = best(all, marks, weakest)
  return { quotations: together(picked), fit: counts.size / wanted.size }
}

/** The best-marked ones within the bounds, in their own order. A heading brings the line below it. */
const best = (
  sentences: ReadonlyArray<Sentence>,
  marks: ReadonlyArray<number>,
  share: number
): ReadonlyArray<Sentence> => {
  const top = marks.reduce((one, other) => Math.max(one, other), 0)
  if (top === 0) return []
  const order = [...marks.entries()]
    .filter(([, mark]) => mark > 0 && mark >= top * share)
    .sort(([a, one], [b, other]) => other - one || a - b)
  const chosen = new Set<number>()
  let chars = 0
  const take = (at: number) => {
    const sentence = sentences[at]
    if (sentence === undefined || chosen.has(at) || chosen.size >= maxSentences) return
    if (chosen.size > 0 && chars + sentence.text.length > maxChars) return
    chosen.add(at)
    chars += sentence.text.length
  }
  for (const [at] of order) {
    if (chosen.size >= maxSentences) break
    take(at)
    if (isHeading(sentences[at])) take(at + 1)
  }
  return sentences.filter((_, at) => chosen.has(at))
}

const isHeading = (sentence: Sentence | undefined): boolean =>
  sentence !== undefined && sentence.text.length < 40 && !/[。！？；.!?;]["”’)]?$/u.test(sentence.text)

/** Sentences of the same paragraph are one quotation. */
const together = (sentences: ReadonlyArray<Sentence>): ReadonlyArray<Quotation> => {
  const made: Array<Quotation> = []
  let paragraph = -1
  for (const { text, source, paragraph: at } of sentences) {
    const last = made.at(-1)
    if (last !== undefined && at === paragraph) {
      const space = /[\p{Script=Han}。！？；：，]$/u.test(last.text) ? "" : " "
      made[made.length - 1] = { text: `${last.text}${space}${text}`, source }
    } else made.push({ text, source })
    paragraph = at
  }
  return made
}

const unique = (sentences: ReadonlyArray<Sentence>): ReadonlyArray<Sentence> => {
  const seen = new Set<string>()
  return sentences.filter(({ text }) => !seen.has(text) && seen.add(text))
}

const pairs = (text: string): ReadonlyArray<string> =>
  (text.match(/\p{Script=Han}+/gu) ?? []).flatMap((run) =>
    Array.from({ length: Math.max(0, run.length - 1) }, (_, at) => run.slice(at, at + 2))
  )

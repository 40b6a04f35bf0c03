/** The part of a passage that answers a question best, in plain text of a bounded length. */
import { terms } from "../words.ts"

const maxChars = 360
const maxPassageChars = 4_000

const sentences = new Intl.Segmenter("zh", { granularity: "sentence" })

export const excerpt = (passage: string, wanted: ReadonlySet<string>): string => {
  const parts = plain(passage.slice(0, maxPassageChars))
    .split("\n")
    .flatMap((line) => [...sentences.segment(line)].map(({ segment }) => segment.trim()))
    .filter((part) => part !== "")
    .map((text) => ({ text, words: new Set(terms(text)) }))
  let best = ""
  let bestScore = -1
  for (let from = 0; from < parts.length; from++) {
    const found = new Set<string>()
    let text = ""
    for (const part of parts.slice(from)) {
      if (text !== "" && text.length + part.text.length + 1 > maxChars) break
      text = joined(text, part.text)
      for (const word of part.words) if (wanted.has(word)) found.add(word)
    }
    if (found.size > bestScore) {
      best = text
      bestScore = found.size
    }
  }
  return best.length > maxChars ? `${best.slice(0, maxChars).trimEnd()}…` : best
}

/** No space between Chinese sentences. */
const joined = (left: string, right: string): string =>
  left === ""
    ? right
    : /\p{Script=Han}|[。！？；：]/u.test(left.slice(-1))
      ? left + right
      : `${left} ${right}`

/** Markdown without what only makes sense in its own place: headings, fences, table rules. */
const plain = (markdown: string): string =>
  markdown
    .split("\n")
    .filter((line) => !/^\s*(?:```|~~~|\|[\s:|-]+\|\s*$|---+\s*$)/.test(line))
    .map((line) =>
      line
        .replace(/^\s*(?:#{1,6}\s+|>\s?|[-*+]\s+|\d+[.)]\s+)/, "")
        .replace(/^\s*\|(.*)\|\s*$/, (_, cells: string) =>
          cells
            .split("|")
            .map((cell) => cell.trim())
            .join(" – ")
        )
    )
    .join("\n")

/** A text in sentences, each with the source that the text itself names for it. Linear in the text. */

export interface Sentence {
  readonly text: string
  /** What stood over it as its source: "[notes.pdf]", "title: notes.pdf". Empty: nothing did. */
  readonly source: string
  /** Sentences of one paragraph share it. */
  readonly paragraph: number
}

/** Longer ones are cut: nobody quotes a page as one sentence. */
const maxSentence = 400

const sourceLine =
  /^\s*(?:\[([^[\]\n]{1,200})\]|(?:title|source|file(?: ?name)?|来源|文件(?:名)?|标题|出处)\s*[:：]\s*(\S[^\n]{0,200}))\s*$/i

const decoration = /^\s*(?:[-=*_~]{3,}|```.*|~~~.*|\|[\s:|-]+\|)\s*$/

export const sentencesOf = (text: string): ReadonlyArray<Sentence> => {
  const found: Array<Sentence> = []
  let source = ""
  let paragraph = 0
  for (const line of text.split("\n")) {
    const named = sourceLine.exec(line)
    if (named !== null) {
      source = (named[1] ?? named[2] ?? "").trim()
      paragraph++
      continue
    }
    if (line.trim() === "" || decoration.test(line)) {
      paragraph++
      continue
    }
    for (const sentence of split(plain(line))) found.push({ text: sentence, source, paragraph })
  }
  return found
}

const split = (line: string): ReadonlyArray<string> =>
  line
    .split(/(?<=[。！？；])|(?<=[.!?]["”’)]?)\s+/u)
    .flatMap((part) => part.match(new RegExp(`.{1,${maxSentence}}`, "gu")) ?? [])
    .map((part) => part.trim())
    .filter((part) => part !== "")

/** Without the signs that only make sense at their own place. */
const plain = (line: string): string =>
  line
    .replace(/^\s*(?:>\s?)+/, "")
    .replace(/^\s*(?:#{1,6}\s+|[-*+•]\s+)/, "")
    .replace(/^\s*\|(.*)\|\s*$/, (_, cells: string) =>
      cells
        .split("|")
        .map((cell) => cell.trim())
        .join(" – ")
    )
    .replace(/\s*\[\d+\]\s*$/, "")

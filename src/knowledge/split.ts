/**
 * Cuts documents into pieces of a size, at the first of the separators that serves: paragraphs, lines, words.
 *
 * Written here and not taken from a library because a piece has to know where in its document it stands, so that
 * the places on the page go with it.
 */
import type { Box } from "../protocol/RunEvent.ts"
import type { Doc } from "./Documents.ts"

export interface SplitOptions {
  /** Characters of a piece, at most. */
  readonly chunkSize: number
  /** Characters that a piece may repeat of the one before it. */
  readonly chunkOverlap: number
  /** Best first; "" is between any two characters. Absent or empty: paragraphs, lines, sentences, words. */
  readonly separators?: ReadonlyArray<string>
}

const usual = ["\n\n", "\n", "。", "！", "？", ". ", "! ", "? ", "；", "; ", "，", " ", ""]
const usualSize = 1_000

/** In the documents' order; pieces keep file, page and heading, and the boxes of the lines they hold. */
export const splitDocs = (docs: ReadonlyArray<Doc>, options: SplitOptions): ReadonlyArray<Doc> => {
  const size = options.chunkSize >= 1 ? Math.floor(options.chunkSize) : usualSize
  const overlap = options.chunkOverlap >= 0 ? Math.min(Math.floor(options.chunkOverlap), size - 1) : 0
  const given = (options.separators ?? []).map(unescaped)
  const separators = given.length === 0 ? usual : [...given.filter((one) => one !== ""), ""]
  return docs.flatMap((doc) => {
    if (doc.text.length <= size) return [doc]
    const boxesOf = boxFinder(doc)
    const whole = trimmed(doc.text, { from: 0, to: doc.text.length })
    const ranges = rangesOf(doc.text, whole, separators, { size, overlap })
    return distinct(ranges.map((range) => trimmed(doc.text, range))).map((range) => ({
      ...doc,
      text: doc.text.slice(range.from, range.to),
      boxes: boxesOf(range)
    }))
  })
}

/** Graphs are typed by hand, and write "\n" as two characters. */
const unescaped = (separator: string): string => separator.replaceAll("\\n", "\n").replaceAll("\\t", "\t")

interface Range {
  readonly from: number
  readonly to: number
}

const trimmed = (text: string, { from, to }: Range): Range => {
  const slice = text.slice(from, to)
  const start = to - slice.trimStart().length
  return { from: start, to: Math.max(start, from + slice.trimEnd().length) }
}

/** Without what is empty, and what trimming has left with nothing of its own. */
const distinct = (ranges: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const kept: Array<Range> = []
  for (const range of ranges) {
    const last = kept.at(-1)
    if (range.from === range.to || (last !== undefined && isWithin(range, last))) continue
    if (last !== undefined && isWithin(last, range)) kept.pop()
    kept.push(range)
  }
  return kept
}

const isWithin = (range: Range, other: Range): boolean => range.from >= other.from && range.to <= other.to

interface Sizes {
  readonly size: number
  readonly overlap: number
}

const rangesOf = (
  text: string,
  whole: Range,
  separators: ReadonlyArray<string>,
  sizes: Sizes
): ReadonlyArray<Range> => {
  const at = separators.findIndex((one) => one === "" || occurs(text, one, whole))
  const separator = separators[at] ?? ""
  if (separator === "") return windows(text, whole, sizes)
  const found: Array<Range> = []
  let fitting: Array<Range> = []
  for (const piece of cutAt(text, whole, separator)) {
    if (piece.to - piece.from <= sizes.size) {
      fitting.push(piece)
      continue
    }
    found.push(...merged(fitting, sizes))
    fitting = []
    found.push(...rangesOf(text, piece, separators.slice(at + 1), sizes))
  }
  found.push(...merged(fitting, sizes))
  return found
}

const occurs = (text: string, separator: string, { from, to }: Range): boolean => {
  const at = text.indexOf(separator, from)
  return at !== -1 && at + separator.length <= to
}

/** Marks that end a sentence stay with it, white space between two pieces goes, all others begin the next piece. */
const cutAt = (text: string, { from, to }: Range, separator: string): ReadonlyArray<Range> => {
  const width = separator.length
  const kept = /^[.!?;,。！？；，]/u.test(separator) ? width : 0
  const dropped = separator.trim() === "" ? width : 0
  const pieces: Array<Range> = []
  let start = from
  for (
    let at = text.indexOf(separator, from);
    at !== -1 && at + width <= to;
    at = text.indexOf(separator, at + width)
  ) {
    if (at + kept > start) pieces.push({ from: start, to: at + kept })
    start = at + kept + dropped
  }
  if (start < to) pieces.push({ from: start, to })
  return pieces
}

/** Neighbours together as long as they fit; a piece begins with the last neighbours of the one before. */
const merged = (pieces: ReadonlyArray<Range>, { size, overlap }: Sizes): ReadonlyArray<Range> => {
  const found: Array<Range> = []
  let first = 0
  pieces.forEach((piece, at) => {
    const start = pieces[first]
    const last = pieces[at - 1]
    if (start === undefined || last === undefined || piece.to - start.from <= size) return
    found.push({ from: start.from, to: last.to })
    while (first < at) {
      const from = pieces[first]?.from ?? piece.from
      if (last.to - from <= overlap && piece.to - from <= size) break
      first++
    }
  })
  const start = pieces[first]
  const end = pieces.at(-1)
  if (start !== undefined && end !== undefined) found.push({ from: start.from, to: end.to })
  return found
}

/** Where nothing separates. Never between the two halves of a character. */
const windows = (text: string, { from, to }: Range, { size, overlap }: Sizes): ReadonlyArray<Range> => {
  const found: Array<Range> = []
  const whole = (at: number): number => (/[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at)
  let start = from
  while (to - start > size) {
    const cut = whole(start + size)
    const end = cut > start ? cut : start + 2
    found.push({ from: start, to: end })
    const next = whole(end - overlap)
    start = next > start ? next : end
  }
  found.push({ from: start, to })
  return found
}

/** A document with one box a line tells which are whose; of any other a piece gets them all. */
const boxFinder = (doc: Doc): ((range: Range) => ReadonlyArray<Box>) => {
  if (doc.boxes.length === 0) return () => doc.boxes
  const lines: Array<Range> = []
  let from = 0
  for (const line of doc.text.split("\n")) {
    if (line.trim() !== "") lines.push({ from, to: from + line.length })
    from += line.length + 1
  }
  if (lines.length !== doc.boxes.length) return () => doc.boxes
  return (range) =>
    doc.boxes.filter((_, at) => {
      const line = lines[at]
      return line !== undefined && line.from < range.to && line.to > range.from
    })
}

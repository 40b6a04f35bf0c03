/** Files that are text: Markdown, HTML, CSV, JSON and plain. */
import { type Options, parse } from "csv-parse/sync"
import { textOfHtml } from "../html.ts"
import { collector, damaged, type Parsed, type ParseLimits, Unreadable } from "./Parsed.ts"
import { partsOfRows } from "./rows.ts"
import { sectionsOf } from "./sections.ts"

export type TextKind = "markdown" | "table" | "text" | "html"

export const parseText = (bytes: Uint8Array, kind: TextKind, limits: ParseLimits): Parsed =>
  partsOfText(utf8(bytes), kind, limits)

/** A character is a byte at least: what is beyond so many is cut before it costs anything. */
export const partsOfText = (text: string, kind: TextKind, limits: ParseLimits): Parsed => {
  const found = collector(limits)
  for (const part of partsOf(text, kind)) if (!found.add(part)) break
  return found.parsed()
}

const partsOf = (text: string, kind: TextKind) => {
  switch (kind) {
    case "markdown":
      return sectionsOf(text)
    case "html":
      return sectionsOf(textOfHtml(text))
    case "table":
      return partsOfRows(rowsOf(text))
    case "text":
      return [{ text: text.replace(/\r\n/g, "\n").trim(), heading: "", page: null, boxes: [] }]
  }
}

const rowsOf = (csv: string): ReadonlyArray<ReadonlyArray<string>> => {
  const options: Options = {
    delimiter: delimiterOf(csv),
    relaxColumnCount: true,
    relaxQuotes: true,
    skipEmptyLines: true
  }
  try {
    return parse(csv, options).map((row) => (Array.isArray(row) ? row.map(String) : []))
  } catch {
    throw new Unreadable(damaged)
  }
}

/** What separates the columns, by the first line: spreadsheets in half of Europe write semicolons. */
const delimiterOf = (csv: string): string => {
  const first = csv.slice(0, 10_000).split(/\r?\n/, 1)[0] ?? ""
  const count = (mark: string): number => first.split(mark).length - 1
  return [",", ";", "\t"].reduce((best, mark) => (count(mark) > count(best) ? mark : best))
}

const utf8 = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw new Unreadable("is not text in UTF-8. Save it as UTF-8 and upload it again.")
  }
}

/** Cuts a document into passages: along headings and paragraphs, each of about 800 characters at most. */

export interface Chunk {
  /** The headings above it, outermost first, joined by " › "; empty where there are none. */
  readonly heading: string
  readonly text: string
}

const maxChars = 800
/** A paragraph joins the one before it while both fit; a passage that is long enough is left alone. */
const fullChars = 500

export const chunksOf = (document: string, kind: "markdown" | "table" | "text"): ReadonlyArray<Chunk> => {
  if (kind === "table") return tableChunks(document)
  const found: Array<Chunk> = []
  const headings: Array<string> = []
  let text = ""
  let paragraph = ""
  let fence = ""

  const flush = (): void => {
    if (text !== "") found.push({ heading: headings.filter((one) => one !== "").join(" › "), text })
    text = ""
  }
  const endParagraph = (): void => {
    const whole = paragraph.trimEnd()
    paragraph = ""
    if (whole === "") return
    if (text !== "" && (text.length >= fullChars || text.length + whole.length > maxChars)) flush()
    if (whole.length <= maxChars) {
      text = text === "" ? whole : `${text}\n\n${whole}`
      return
    }
    for (const part of split(whole)) {
      flush()
      text = part
    }
  }

  for (const line of document.split(/\r?\n/)) {
    const mark = kind === "markdown" ? (/^\s*(```|~~~)/.exec(line)?.[1] ?? "") : ""
    if (mark !== "" && (fence === "" || fence === mark)) fence = fence === "" ? mark : ""
    const title = kind === "markdown" && fence === "" ? /^(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line) : null
    if (title !== null) {
      endParagraph()
      flush()
      const level = title[1]?.length ?? 1
      headings.length = Math.min(headings.length, level - 1)
      while (headings.length < level - 1) headings.push("")
      headings.push(title[2] ?? "")
    } else if (line.trim() === "" && fence === "") endParagraph()
    else paragraph = paragraph === "" ? line : `${paragraph}\n${line}`
  }
  endParagraph()
  flush()
  return found
}

/** Rows together up to the size; the first row says what the columns are, so it is every passage's heading. */
const tableChunks = (document: string): ReadonlyArray<Chunk> => {
  const [first = "", ...rows] = document.split(/\r?\n/).filter((line) => line.trim() !== "")
  if (rows.length === 0) return split(first).map((text) => ({ heading: "", text }))
  return split(rows.join("\n")).map((text) => ({ heading: first.slice(0, maxChars), text }))
}

/** Where a long text is best cut, in order: a line's end, a sentence's end, a space, anywhere. */
const split = (long: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let from = 0
  while (long.length - from > maxChars) {
    const window = long.slice(from, from + maxChars)
    const cut =
      after(window, /\n/g) ??
      after(window, /[.!?](?=\s)|[。！？；]/g) ??
      after(window, /[\s,，、]/g) ??
      whole(window)
    parts.push(window.slice(0, cut).trim())
    from += cut
  }
  parts.push(long.slice(from).trim())
  return parts.filter((part) => part !== "")
}

/** The end of the last match in the window's second half. */
const after = (window: string, pattern: RegExp): number | undefined => {
  const last = [...window.matchAll(pattern)].at(-1)
  const end = last === undefined ? 0 : last.index + last[0].length
  return end > window.length / 2 ? end : undefined
}

/** Never between the two halves of a character. */
const whole = (window: string): number =>
  /[\ud800-\udbff]$/.test(window) ? window.length - 1 : window.length

/** Cuts Markdown at its headings. */
import type { Part } from "./Parsed.ts"

/**
 * A section's text begins with its own title, and `heading` is the whole path to it. A title with nothing
 * under it stands above the section that follows.
 */
export const sectionsOf = (markdown: string): ReadonlyArray<Part> => {
  const found: Array<Part> = []
  const titles: Array<string> = []
  let lines: Array<string> = []
  let hasBody = false
  let fence = ""

  const flush = (): void => {
    const text = lines.join("\n").trim()
    const heading = titles.filter((title) => title !== "").join(" › ")
    if (text !== "") found.push({ text, heading, page: null, boxes: [] })
    lines = []
    hasBody = false
  }
  for (const line of markdown.split(/\r?\n/)) {
    const mark = /^\s*(```|~~~)/.exec(line)?.[1] ?? ""
    if (mark !== "" && (fence === "" || fence === mark)) fence = fence === "" ? mark : ""
    const title = fence === "" ? /^(#{1,6})[ \t]+(\S.*)$/.exec(line) : null
    if (title === null) {
      if (line.trim() !== "") hasBody = true
    } else {
      if (hasBody) flush()
      const level = title[1]?.length ?? 1
      titles.length = Math.min(titles.length, level - 1)
      while (titles.length < level - 1) titles.push("")
      titles.push((title[2] ?? "").replace(/[ \t]+#+[ \t]*$/, "").trim())
    }
    lines.push(line)
  }
  flush()
  return found
}

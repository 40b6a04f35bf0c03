/** The text of an HTML page, one line a block. One pass, so that no page, however broken, takes long. */

const invisible = new Set(["script", "style", "head", "title", "template", "noscript", "svg"])
const inline =
  /^(?:a|abbr|b|bdi|bdo|cite|code|em|i|kbd|mark|q|s|samp|small|span|strong|sub|sup|time|u|var|wbr)$/
const heading = /^h([1-6])$/

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  mdash: "—",
  ndash: "–",
  hellip: "…",
  copy: "©"
}

/** Headings come out as Markdown's, so that the passages know what they are under. */
export const textOfHtml = (html: string): string => {
  const out: Array<string> = []
  let from = 0
  let cells = 0
  while (from < html.length) {
    const open = html.indexOf("<", from)
    out.push(decoded(html.slice(from, open === -1 ? html.length : open)))
    if (open === -1) break
    if (html.startsWith("<!--", open)) {
      from = past(html, "-->", open + 4)
      continue
    }
    const end = past(html, ">", open)
    const [, slash, name = ""] =
      /^<(\/?)([A-Za-z][A-Za-z0-9]*)/.exec(html.slice(open, Math.min(end, open + 24))) ?? []
    const tag = name.toLowerCase()
    from = end
    if (tag === "" || inline.test(tag)) continue
    if (slash === "" && invisible.has(tag)) {
      from = past(html, ">", closing(html, tag, end))
      continue
    }
    // A row of a table is one line, whatever its cells are made of.
    if (tag === "td" || tag === "th") {
      if (slash === "" && cells++ > 0) out.push(" | ")
      continue
    }
    if (tag === "tr" || tag === "table") cells = 0
    else if (cells > 0) {
      out.push(" ")
      continue
    }
    const level = slash === "" ? heading.exec(tag)?.[1] : undefined
    out.push(level === undefined ? "\n\n" : `\n\n${"#".repeat(Number(level))} `)
  }
  return out
    .join("")
    .split("\n")
    .map((line) => line.replace(/\s+/g, " ").trim())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
}

const past = (text: string, mark: string, from: number): number => {
  const at = text.indexOf(mark, from)
  return at === -1 ? text.length : at + mark.length
}

/** Where `</tag` stands, whatever its case. */
const closing = (html: string, tag: string, from: number): number => {
  for (let at = html.indexOf("</", from); at !== -1; at = html.indexOf("</", at + 2)) {
    if (html.slice(at + 2, at + 2 + tag.length).toLowerCase() === tag) return at
  }
  return html.length
}

/** A line's end in the source is a space; only blocks make lines. */
const decoded = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi, (all, decimal, hex, name) => {
      if (typeof name === "string") return entities[name] ?? all
      const code = typeof decimal === "string" ? Number(decimal) : Number.parseInt(String(hex), 16)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ""
    })

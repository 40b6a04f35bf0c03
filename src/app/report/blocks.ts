/** A value's Markdown as the blocks that a Word document knows: paragraphs, tables, images. */
import { lexer, type Token, type Tokens } from "marked"

export type Block = Paragraph | Table | Image

export interface Span {
  /** May hold line breaks. */
  readonly text: string
  readonly bold: boolean
  readonly italic: boolean
}

export interface Paragraph {
  readonly _tag: "Paragraph"
  readonly spans: ReadonlyArray<Span>
}

export interface Table {
  readonly _tag: "Table"
  readonly header: ReadonlyArray<ReadonlyArray<Span>>
  readonly rows: ReadonlyArray<ReadonlyArray<ReadonlyArray<Span>>>
}

export interface Image {
  readonly _tag: "Image"
  readonly uri: string
}

/** An image in Markdown, or alone. Only images that come with the value: nothing is ever fetched. */
const imageData = "data:image/[a-z.+-]{1,20};base64,[A-Za-z0-9+/=\\s]+"
const imageInText = new RegExp(`!\\[[^\\]]{0,500}\\]\\(\\s*(${imageData})\\)`, "g")
const imageAlone = new RegExp(`^\\s*(${imageData})$`)

export const blocksOf = (value: string): ReadonlyArray<Block> => {
  const alone = imageAlone.exec(value)?.[1]
  if (alone !== undefined) return [{ _tag: "Image", uri: alone }]
  // At odd places stand the captured images.
  return value
    .split(imageInText)
    .flatMap((part, i) => (i % 2 === 1 ? [{ _tag: "Image" as const, uri: part }] : textBlocks(part)))
}

const textBlocks = (text: string): ReadonlyArray<Block> =>
  text.trim() === "" ? [] : lexer(text, { gfm: true, breaks: true }).flatMap((token) => blockOf(token, ""))

const plain = { bold: false, italic: false }

const paragraph = (spans: ReadonlyArray<Span>): Paragraph => ({ _tag: "Paragraph", spans })

const blockOf = (token: Token, indent: string): ReadonlyArray<Block> => {
  switch (token.type) {
    case "space":
    case "hr":
      return []
    case "heading":
      return [paragraph(spansOf(token.tokens, { bold: true, italic: false }))]
    case "code":
      return [paragraph([{ text: String(token["text"]), ...plain }])]
    case "blockquote":
      return (token.tokens ?? []).flatMap((inner) => blockOf(inner, indent))
    case "list":
      return isList(token) ? listBlocks(token, indent) : []
    case "table":
      return isTable(token) ? [tableBlock(token)] : []
    case "paragraph":
    case "text":
      return [paragraph(spansOf(token.tokens ?? [token], plain))]
    default:
      return [paragraph([{ text: token.raw.trimEnd(), ...plain }])]
  }
}

const isList = (token: Token): token is Tokens.List => token.type === "list"
const isTable = (token: Token): token is Tokens.Table => token.type === "table"

const listBlocks = (list: Tokens.List, indent: string): ReadonlyArray<Block> => {
  const first = typeof list.start === "number" ? list.start : 1
  return list.items.flatMap((item, i) => {
    const mark = `${indent}${list.ordered ? `${first + i}.` : "•"} `
    let isMarked = false
    return item.tokens.flatMap((token) =>
      blockOf(token, `${indent}    `).map((block) => {
        if (isMarked || block._tag !== "Paragraph") return block
        isMarked = true
        return paragraph([{ text: mark, ...plain }, ...block.spans])
      })
    )
  })
}

const tableBlock = (table: Tokens.Table): Table => ({
  _tag: "Table",
  header: table.header.map((cell) => spansOf(cell.tokens, { bold: true, italic: false })),
  rows: table.rows.map((row) => row.map((cell) => spansOf(cell.tokens, plain)))
})

const spansOf = (
  tokens: ReadonlyArray<Token> | undefined,
  style: { readonly bold: boolean; readonly italic: boolean }
): ReadonlyArray<Span> =>
  (tokens ?? []).flatMap((token): ReadonlyArray<Span> => {
    switch (token.type) {
      case "strong":
        return spansOf(token.tokens, { ...style, bold: true })
      case "em":
        return spansOf(token.tokens, { ...style, italic: true })
      case "br":
        return [{ text: "\n", ...style }]
      case "codespan":
      case "escape":
        return [{ text: String(token["text"]), ...style }]
      case "text":
        return token.tokens === undefined
          ? [{ text: String(token["text"]), ...style }]
          : spansOf(token.tokens, style)
      default:
        return [{ text: token.raw, ...style }]
    }
  })

export const plainText = (spans: ReadonlyArray<Span>): string => spans.map((span) => span.text).join("")

/** Blocks where only running text can stand. */
export const blocksAsText = (blocks: ReadonlyArray<Block>): string =>
  blocks
    .flatMap((block) => {
      switch (block._tag) {
        case "Paragraph":
          return [plainText(block.spans)]
        case "Table":
          return [block.header, ...block.rows].map((row) => row.map(plainText).join("\t"))
        case "Image":
          return []
      }
    })
    .join("\n")

/** The rows of a value that is a table: a Markdown table, or a JSON list of objects. null: it is none. */
export const rowsOf = (value: string): ReadonlyArray<Readonly<Record<string, string>>> | null => {
  const listed = value.trimStart().startsWith("[") ? jsonRows(value) : null
  if (listed !== null) return listed
  const table = blocksOf(value).find((block) => block._tag === "Table")
  if (table === undefined) return null
  const names = table.header.map((cell) => plainText(cell).trim())
  return table.rows.map((row) =>
    Object.fromEntries(names.map((name, i) => [name, plainText(row[i] ?? []).trim()]))
  )
}

const jsonRows = (value: string): ReadonlyArray<Readonly<Record<string, string>>> | null => {
  const parsed = parsedJson(value)
  if (!Array.isArray(parsed)) return null
  const rows = parsed.flatMap((row: unknown) =>
    typeof row === "object" && row !== null && !Array.isArray(row)
      ? [Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cellText(cell)]))]
      : []
  )
  return rows.length === parsed.length ? rows : null
}

const parsedJson = (value: string): unknown => {
  try {
    return JSON.parse(value)
  } catch {
    return null
  }
}

const cellText = (cell: unknown): string =>
  cell === null || cell === undefined ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell)

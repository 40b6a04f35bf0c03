/** Blocks as the XML of a Word document. */
import { xml } from "easy-template-x"
import type { Paragraph, Span, Table } from "./blocks.ts"

/** The properties that surround what is replaced, as XML, or "". */
export interface Look {
  readonly paragraph: string
  readonly run: string
}

const escaped = (text: string): string => xml.parser.encodeValue(text)

/** Without the characters that no XML document may hold. */
export const clean = (text: string): string =>
  text
    .replace(/\r\n?/g, "\n")
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, (sign) => (sign === "\n" || sign === "\t" ? sign : ""))

const runProperties = (span: Span, base: string): string => {
  const marks = `${span.bold ? "<w:b/>" : ""}${span.italic ? "<w:i/>" : ""}`
  if (marks === "") return base
  const inner = /^<w:rPr>(.*)<\/w:rPr>$/s.exec(base)?.[1] ?? ""
  // Fonts and the style come before bold by the schema's order.
  const [, before = "", after = ""] = /^((?:<w:(?:rStyle|rFonts)\b[^>]*\/>)*)(.*)$/s.exec(inner) ?? []
  return `<w:rPr>${before}${marks}${after.replace(/<w:[bi](?: [^>]*)?\/>/g, "")}</w:rPr>`
}

export const runsXml = (spans: ReadonlyArray<Span>, base: string): string =>
  spans
    .map((span) => {
      const lines = span.text.split("\n")
      const text = lines
        .map((line) => (line === "" ? "" : `<w:t xml:space="preserve">${escaped(line)}</w:t>`))
        .join("<w:br/>")
      return `<w:r>${runProperties(span, base)}${text}</w:r>`
    })
    .join("")

export const paragraphXml = ({ spans }: Pick<Paragraph, "spans">, look: Look): string =>
  `<w:p>${look.paragraph}${runsXml(spans, look.run)}</w:p>`

const border = (side: string): string => `<w:${side} w:val="single" w:sz="4" w:space="0" w:color="808080"/>`

const borders = `<w:tblBorders>${["top", "left", "bottom", "right", "insideH", "insideV"].map(border).join("")}</w:tblBorders>`

export const tableXml = ({ header, rows }: Table, run: string): string => {
  const columns = Math.max(1, header.length)
  const width = Math.floor(9_000 / columns)
  const cell = (spans: ReadonlyArray<Span>): string =>
    `<w:tc><w:tcPr><w:tcW w:w="${width}" w:type="dxa"/></w:tcPr><w:p>${runsXml(spans, run)}</w:p></w:tc>`
  const line = (cells: ReadonlyArray<ReadonlyArray<Span>>, properties: string): string =>
    `<w:tr>${properties}${Array.from({ length: columns }, (_, i) => cell(cells[i] ?? [])).join("")}</w:tr>`
  const grid = `<w:gridCol w:w="${width}"/>`.repeat(columns)
  const properties = `<w:tblPr><w:tblW w:w="5000" w:type="pct"/>${borders}</w:tblPr>`
  const head = line(header, "<w:trPr><w:tblHeader/></w:trPr>")
  return `<w:tbl>${properties}<w:tblGrid>${grid}</w:tblGrid>${head}${rows.map((row) => line(row, "")).join("")}</w:tbl>`
}

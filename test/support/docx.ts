/** Word documents for tests: made of raw body XML, and read back as text, tables and parts. */
import JSZip from "jszip"
import { defaultTemplate } from "../../src/app/report/defaultTemplate.ts"

/** A run for each text: Word parts what people type as it pleases. */
export const paragraph = (...runs: ReadonlyArray<string>): string =>
  `<w:p>${runs.map((text) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`).join("")}</w:p>`

export const cell = (...runs: ReadonlyArray<string>): string => `<w:tc>${paragraph(...runs)}</w:tc>`

export const table = (...rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  `<w:tbl>${rows.map((cells) => `<w:tr>${cells.join("")}</w:tr>`).join("")}</w:tbl>`

/** A whole document with this body. */
export const docx = async (
  body: string,
  parts: Readonly<Record<string, string>> = {}
): Promise<Uint8Array> => {
  const zip = await JSZip.loadAsync(await defaultTemplate())
  const main = await zip.file("word/document.xml")?.async("string")
  zip.file("word/document.xml", (main ?? "").replace(/<w:body>.*<w:sectPr>/s, `<w:body>${body}<w:sectPr>`))
  for (const [name, content] of Object.entries(parts)) zip.file(name, content)
  return zip.generateAsync({ type: "uint8array", compression: "DEFLATE" })
}

const unescaped = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&")

const textOf = (markup: string): string =>
  unescaped(markup.replaceAll("<w:br/>", "\n").replace(/<[^>]*>/g, ""))

export interface ReadDocx {
  readonly files: ReadonlyArray<string>
  readonly xml: string
  /** Of the paragraphs, those of tables included. */
  readonly paragraphs: ReadonlyArray<string>
  /** Cells by row, of each table. */
  readonly tables: ReadonlyArray<ReadonlyArray<ReadonlyArray<string>>>
}

export const readDocx = async (bytes: Uint8Array): Promise<ReadDocx> => {
  const zip = await JSZip.loadAsync(bytes)
  const xml = (await zip.file("word/document.xml")?.async("string")) ?? ""
  const all = (pattern: RegExp, markup: string) => [...markup.matchAll(pattern)].map(([found]) => found)
  return {
    files: Object.keys(zip.files),
    xml,
    paragraphs: all(/<w:p(?: [^>]*)?>.*?<\/w:p>/gs, xml).map(textOf),
    tables: all(/<w:tbl>.*?<\/w:tbl>/gs, xml).map((one) =>
      all(/<w:tr>.*?<\/w:tr>/gs, one).map((row) => all(/<w:tc>.*?<\/w:tc>/gs, row).map(textOf))
    )
  }
}

/** A PNG of one red dot. */
export const redDot =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

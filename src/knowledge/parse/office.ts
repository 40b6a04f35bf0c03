/** .docx and .xlsx. */
import Mammoth from "mammoth"
import readWorkbook from "read-excel-file/node"
import { textOfHtml } from "../html.ts"
import { checkArchive } from "./archive.ts"
import { collector, damaged, type Parsed, type ParseLimits, Unreadable } from "./Parsed.ts"
import { partsOfRows } from "./rows.ts"
import { sectionsOf } from "./sections.ts"

export const parseDocx = async (bytes: Buffer, limits: ParseLimits): Promise<Parsed> => {
  await checkArchive(bytes, "word/document.xml")
  const html = await orDamaged(async () => {
    const { value } = await Mammoth.convertToHtml(
      { buffer: bytes },
      {
        // Pictures would come as text of their bytes.
        convertImage: Mammoth.images.imgElement(() => Promise.resolve({ src: "" })),
        externalFileAccess: false
      }
    )
    return value
  })
  const found = collector(limits)
  for (const part of sectionsOf(textOfHtml(html))) if (!found.add(part)) break
  return found.parsed()
}

export const parseXlsx = async (bytes: Buffer, limits: ParseLimits): Promise<Parsed> => {
  await checkArchive(bytes, "xl/workbook.xml")
  const sheets = await orDamaged(() => readWorkbook(bytes))
  const found = collector(limits)
  for (const { sheet, data } of sheets) {
    const rows = data.map((row) => row.map(shown))
    for (const part of partsOfRows(rows, sheets.length > 1 ? sheet : "")) {
      if (!found.add(part)) return found.parsed()
    }
  }
  return found.parsed()
}

const shown = (cell: unknown): string => {
  if (cell === null || cell === undefined) return ""
  if (!(cell instanceof Date)) return String(cell)
  if (Number.isNaN(cell.getTime())) return ""
  const text = cell.toISOString()
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ")
}

const orDamaged = async <A>(work: () => Promise<A>): Promise<A> => {
  try {
    return await work()
  } catch {
    throw new Unreadable(damaged)
  }
}

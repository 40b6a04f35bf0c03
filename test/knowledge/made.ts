/** Real files, made here so that what is in them can be read here. */
import { degrees, PDFDocument, StandardFonts } from "@cantoo/pdf-lib"
import * as Docx from "docx"
import writeWorkbook from "write-excel-file/node"
import { ZipFile } from "yazl"

/** Pages of lines, from the top of an A4 page down. */
export const pdf = async (
  pages: ReadonlyArray<ReadonlyArray<string>>,
  options: { readonly password?: string; readonly rotated?: number } = {}
): Promise<Uint8Array> => {
  const document = await PDFDocument.create()
  const font = await document.embedFont(StandardFonts.Helvetica)
  for (const lines of pages) {
    const page = document.addPage([595, 842])
    lines.forEach((line, at) => page.drawText(line, { x: 72, y: 742 - at * 14, size: 12, font }))
    if (options.rotated !== undefined) page.setRotation(degrees(options.rotated))
  }
  if (options.password !== undefined) {
    document.encrypt({ userPassword: options.password, ownerPassword: "owner" })
  }
  return document.save()
}

/** What a scanner makes: pages with a drawing on them and no letter. */
export const scan = async (): Promise<Uint8Array> => {
  const document = await PDFDocument.create()
  document.addPage([595, 842]).drawRectangle({ x: 50, y: 50, width: 400, height: 600 })
  return document.save()
}

export const docx = (): Promise<Uint8Array> =>
  Docx.Packer.toBuffer(
    new Docx.Document({
      sections: [
        {
          children: [
            new Docx.Paragraph({ text: "Travel handbook", heading: Docx.HeadingLevel.HEADING_1 }),
            new Docx.Paragraph("Everything about journeys."),
            new Docx.Paragraph({ text: "Expenses", heading: Docx.HeadingLevel.HEADING_2 }),
            new Docx.Paragraph("Receipts are due within thirty days."),
            new Docx.Table({
              rows: [
                ["City", "Limit"],
                ["Lisbon", "120 euros"]
              ].map(
                (cells) =>
                  new Docx.TableRow({
                    children: cells.map(
                      (text) => new Docx.TableCell({ children: [new Docx.Paragraph(text)] })
                    )
                  })
              )
            })
          ]
        }
      ]
    })
  )

export const xlsx = async (): Promise<Uint8Array> =>
  writeWorkbook([
    {
      sheet: "Stock",
      data: [
        ["item", "price", "since"].map((value) => ({ value })),
        [{ value: "hammer" }, { value: 12.5 }, { value: new Date("2024-03-01"), format: "yyyy-mm-dd" }],
        [{ value: "nails" }, { value: 3 }]
      ]
    },
    { sheet: "Staff", data: [[{ value: "name" }], [{ value: "Ada" }]] }
  ]).toBuffer()

export const zip = (entries: Readonly<Record<string, Uint8Array>>): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const file = new ZipFile()
    for (const [name, bytes] of Object.entries(entries)) file.addBuffer(Buffer.from(bytes), name)
    file.end()
    const chunks: Array<Buffer> = []
    file.outputStream.on("data", (chunk: Buffer) => chunks.push(chunk))
    file.outputStream.on("error", reject)
    file.outputStream.on("end", () => resolve(Buffer.concat(chunks)))
  })

/** A .docx of a few hundred kilobytes that inflates to more than any machine wants. */
export const bomb = (megabytes: number): Promise<Buffer> =>
  zip({ "word/document.xml": new Uint8Array(megabytes * 1024 * 1024) })

/** The same, with directory and entry saying that it is small. */
export const lyingBomb = async (megabytes: number): Promise<Buffer> => {
  const bytes = await bomb(megabytes)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(megabytes * 1024 * 1024)
  const small = Buffer.alloc(4)
  small.writeUInt32LE(1_000)
  for (let at = bytes.indexOf(size); at !== -1; at = bytes.indexOf(size, at + 4)) small.copy(bytes, at)
  return bytes
}

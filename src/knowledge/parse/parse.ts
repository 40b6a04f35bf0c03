/** Bytes to text, by the file's kind. The parsers of binary formats are loaded when first needed. */
import { type Parsed, type ParseJob, Unreadable } from "./Parsed.ts"
import { parseText } from "./text.ts"

/** Fails with `Unreadable`. */
export const parse = async (bytes: Buffer, job: ParseJob): Promise<Parsed> => {
  if (bytes.byteLength === 0) throw new Unreadable("is empty.")
  const parsed = await parsedBy(bytes, job)
  if (parsed.parts.length === 0) {
    throw new Unreadable(
      job.kind === "pdf"
        ? "has no text: scanned pages cannot be read. Run text recognition over it and upload the result."
        : "has no text in it."
    )
  }
  return parsed
}

const parsedBy = async (bytes: Buffer, job: ParseJob): Promise<Parsed> => {
  switch (job.kind) {
    case "pdf":
      return (await import("./pdf.ts")).parsePdf(bytes, job)
    case "docx":
      return (await import("./office.ts")).parseDocx(bytes, job)
    case "xlsx":
      return (await import("./office.ts")).parseXlsx(bytes, job)
    default:
      return parseText(bytes, job.kind, job)
  }
}

/** The kinds of files that can be read, told by extension. Text files must be UTF-8. */

export interface FileType {
  readonly mediaType: string
  /** What it is made of, and so how its text is found and where passages are cut. */
  readonly kind: "markdown" | "table" | "text" | "html" | "pdf" | "docx" | "xlsx"
}

const office = "application/vnd.openxmlformats-officedocument"

const types: Readonly<Record<string, FileType>> = {
  txt: { mediaType: "text/plain", kind: "text" },
  md: { mediaType: "text/markdown", kind: "markdown" },
  markdown: { mediaType: "text/markdown", kind: "markdown" },
  csv: { mediaType: "text/csv", kind: "table" },
  html: { mediaType: "text/html", kind: "html" },
  htm: { mediaType: "text/html", kind: "html" },
  json: { mediaType: "application/json", kind: "text" },
  pdf: { mediaType: "application/pdf", kind: "pdf" },
  docx: { mediaType: `${office}.wordprocessingml.document`, kind: "docx" },
  xlsx: { mediaType: `${office}.spreadsheetml.sheet`, kind: "xlsx" }
}

export const fileTypeOf = (name: string): FileType | undefined => {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ""
  return Object.hasOwn(types, extension) ? types[extension] : undefined
}

export const acceptedFiles =
  "Accepted are .pdf, .docx and .xlsx, and text files in UTF-8: .txt, .md, .csv, .html and .json."

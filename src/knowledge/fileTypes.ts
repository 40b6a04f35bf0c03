/** The kinds of files that can be read, told by extension; the content must be UTF-8 text. */

export interface FileType {
  readonly mediaType: string
  /** How passages are cut out of it. */
  readonly kind: "markdown" | "table" | "text" | "html"
}

const types: Readonly<Record<string, FileType>> = {
  txt: { mediaType: "text/plain", kind: "text" },
  md: { mediaType: "text/markdown", kind: "markdown" },
  markdown: { mediaType: "text/markdown", kind: "markdown" },
  csv: { mediaType: "text/csv", kind: "table" },
  html: { mediaType: "text/html", kind: "html" },
  htm: { mediaType: "text/html", kind: "html" },
  json: { mediaType: "application/json", kind: "text" }
}

export const fileTypeOf = (name: string): FileType | undefined => {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ""
  return Object.hasOwn(types, extension) ? types[extension] : undefined
}

export const acceptedFiles =
  "Accepted are text files in UTF-8: .txt, .md, .csv, .html and .json. PDF and Word documents cannot be read yet."

/** Tables as text: every value next to the name of its column, so that a row is understood by itself. */
import type { Part } from "./Parsed.ts"

/** Rows share a part up to so many characters. */
const fullChars = 800

/** The first row that is not blank names the columns. */
export const partsOfRows = (rows: Iterable<ReadonlyArray<string>>, title = ""): Iterable<Part> =>
  grouped(rows, title)

function* grouped(rows: Iterable<ReadonlyArray<string>>, title: string): Generator<Part> {
  let columns: ReadonlyArray<string> | null = null
  let heading = title
  let text = ""
  let any = false
  for (const row of rows) {
    if (row.every((value) => value.trim() === "")) continue
    if (columns === null) {
      columns = row.map((name) => name.trim())
      const names = columns.filter((name) => name !== "").join(", ")
      heading = [title, names.slice(0, fullChars)].filter((one) => one !== "").join(" › ")
      continue
    }
    const lines = linesOf(columns, row)
    if (text !== "" && text.length + lines.length > fullChars) {
      yield part(text, heading)
      text = ""
    }
    text = text === "" ? lines : `${text}\n\n${lines}`
    any = true
  }
  if (text !== "") yield part(text, heading)
  // A table of one row has nothing to be the names of.
  if (!any && columns !== null) yield part(columns.filter((value) => value !== "").join(", "), title)
}

const part = (text: string, heading: string): Part => ({ text, heading, page: null, boxes: [] })

const linesOf = (columns: ReadonlyArray<string>, row: ReadonlyArray<string>): string =>
  row
    .map((value, at) => {
      const said = value.trim()
      if (said === "") return ""
      const column = columns[at] ?? ""
      return column === "" ? said : `${column}: ${said}`
    })
    .filter((line) => line !== "")
    .join("\n")

/** Finds the values that a template asks for, and remembers those it asked for in vain. */
import type { ScopeDataArgs, TemplateContent, TemplateData } from "easy-template-x"
import { rowsOf } from "./blocks.ts"
import type { Filling } from "./Filling.ts"
import { Unfillable } from "./Unfillable.ts"

type Row = Readonly<Record<string, string>>

const maxRows = 5_000

/** Word changes what people type: quotes become curved, spaces unbreakable, signs half or full width. */
const alike = (name: string): string =>
  name
    .normalize("NFKC")
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/\s+/g, " ")
    .trim()

/** By the exact name, else by one that reads the same. */
const named = <A>(entries: Readonly<Record<string, A>>): ((name: string) => A | undefined) => {
  const exact = new Map(Object.entries(entries))
  const close = new Map(Object.entries(entries).map(([name, value]) => [alike(name), value]))
  return (name) => exact.get(name) ?? close.get(alike(name))
}

export class Lookup {
  private readonly value: (name: string) => string | undefined
  private readonly list: (name: string) => ReadonlyArray<Row> | undefined
  private readonly parsed = new Map<string, ReadonlyArray<Row> | null>()
  private readonly missed = new Set<string>()

  constructor(filling: Filling) {
    this.value = named(filling.values)
    this.list = named(filling.lists)
  }

  get unfilled(): ReadonlyArray<string> {
    return [...this.missed]
  }

  /** As the library asks: the path of loops and row numbers that leads to a tag. */
  readonly resolve = ({ path }: ScopeDataArgs): TemplateContent | Array<TemplateData> => {
    const tag = path.at(-1)
    // Braces with nothing between them have no name.
    if (tag === undefined || typeof tag === "number" || typeof tag.name !== "string") return ""
    const scopes = this.scopesOf(path.slice(0, -1))
    if (tag.disposition !== "SelfClosed") return [...this.rows(tag.name, scopes)]
    const text = this.text(tag.name, scopes)
    if (text === undefined || text.trim() === "") {
      // An empty cell of a row is no fault of the template.
      if (!scopes.some((row) => Object.hasOwn(row, tag.name))) this.missed.add(tag.name)
      return ""
    }
    return text
  }

  private scopesOf(path: ScopeDataArgs["path"]): ReadonlyArray<Row> {
    const scopes: Array<Row> = []
    for (const [i, part] of path.entries()) {
      const index = path[i + 1]
      if (typeof part === "number" || typeof index !== "number") continue
      const row = this.rows(part.name, scopes)[index]
      if (row !== undefined) scopes.push(row)
    }
    return scopes
  }

  private text(name: string, scopes: ReadonlyArray<Row>): string | undefined {
    for (const row of scopes.toReversed()) if (Object.hasOwn(row, name)) return row[name]
    return this.value(name)
  }

  /** A list; of any other value one empty row, so that what is between the tags shows. */
  private rows(name: string, scopes: ReadonlyArray<Row>): ReadonlyArray<Row> {
    const text = this.text(name, scopes)
    const rows = text === undefined || text.trim() === "" ? this.list(name) : this.parsedRows(text)
    if (rows === undefined) {
      this.missed.add(name)
      return []
    }
    if (rows.length > maxRows) throw new Unfillable(`"${name}" has more than ${maxRows} rows`)
    return rows
  }

  private parsedRows(text: string): ReadonlyArray<Row> {
    const known = this.parsed.get(text)
    const rows = known === undefined ? rowsOf(text) : known
    this.parsed.set(text, rows)
    return rows ?? [{}]
  }
}

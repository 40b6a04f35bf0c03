/** Reading JSON that someone else wrote: every field is checked where it is taken. */
export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The JSON object in a text, or null when the text is something else. */
export const parseFields = (text: string): Fields | null => {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : null
  } catch {
    return null
  }
}

/** The JSON array in a text, or null when the text is something else. */
export const parseList = (text: string): ReadonlyArray<unknown> | null => {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

export const textOf = (fields: Fields, name: string): string => {
  const value = fields[name]
  return typeof value === "string" ? value : ""
}

export const textOrNull = (fields: Fields, name: string): string | null => {
  const value = fields[name]
  return typeof value === "string" ? value : null
}

export const numberOrNull = (fields: Fields, name: string): number | null => {
  const value = fields[name]
  return typeof value === "number" && Number.isFinite(value) ? value : null
}

export const fieldsOf = (fields: Fields, name: string): Fields => {
  const value = fields[name]
  return isFields(value) ? value : {}
}
